// SPDX-License-Identifier: Apache-2.0
//
// Light, dark, or as the system has it. The choice is kept in the browser.

import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconDeviceDesktop, IconMoon, IconSun } from "@tabler/icons-react";

const kSchemes: readonly { scheme: MantineColorScheme; name: string; Icon: typeof IconSun }[] = [
  { scheme: "auto", name: "As the system", Icon: IconDeviceDesktop },
  { scheme: "light", name: "Light", Icon: IconSun },
  { scheme: "dark", name: "Dark", Icon: IconMoon },
];

export function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Current = kSchemes.find(({ scheme }) => scheme === colorScheme)?.Icon ?? IconDeviceDesktop;
  return (
    <Menu width={170}>
      <Menu.Target>
        <ActionIcon aria-label="Theme" data-testid="theme">
          <Current size={17} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {kSchemes.map(({ scheme, name, Icon }) => (
          <Menu.Item
            key={scheme}
            onClick={() => setColorScheme(scheme)}
            leftSection={<Icon size={15} stroke={1.6} />}
            rightSection={scheme === colorScheme ? <IconCheck size={14} /> : undefined}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
