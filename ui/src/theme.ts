// SPDX-License-Identifier: Apache-2.0
//
// The component library, made dense and quiet: small controls, one accent, the system's own fonts.

import { createTheme } from "@mantine/core";

const small = { defaultProps: { size: "xs" } };

export const theme = createTheme({
  colors: {
    dark: [
      "#e3e6ec",
      "#c3c9d4",
      "#a2aabb",
      "#858ea1",
      "#3b424e",
      "#2f3540",
      "#21252d",
      "#1a1d23",
      "#14161b",
      "#0f1115",
    ],
  },
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 5 },
  autoContrast: true,
  defaultRadius: "sm",
  cursorType: "pointer",
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  components: {
    Button: small,
    TextInput: small,
    NumberInput: small,
    Select: small,
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: 26 } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true, fz: 12 } },
  },
});
