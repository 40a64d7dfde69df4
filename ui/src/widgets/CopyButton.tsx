// SPDX-License-Identifier: Apache-2.0
//
// Copies a text and says so.

import { ActionIcon, Tooltip } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { IconCheck, IconCopy, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { copyText } from "../base/clipboard";

const kShownMs = 1500;
const kIcons = { idle: IconCopy, copied: IconCheck, refused: IconX };

interface Props {
  text: () => string;
  label: string;
}

export function CopyButton({ text, label }: Props) {
  const [outcome, setOutcome] = useState<"idle" | "copied" | "refused">("idle");
  const { start } = useTimeout(() => setOutcome("idle"), kShownMs);
  const Icon = kIcons[outcome];
  const copy = async () => {
    setOutcome((await copyText(text())) ? "copied" : "refused");
    start();
  };
  return (
    <Tooltip label={outcome === "idle" ? label : outcome === "copied" ? "Copied" : "The browser refused"}>
      <ActionIcon size={20} aria-label={label} onClick={() => void copy()}>
        <Icon size={13} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}
