// SPDX-License-Identifier: Apache-2.0
//
// The keys of the page, in one table: the help dialog prints it, and pages bind to it by name, so the two can't differ.

import { type HotkeyItem, useHotkeys } from "@mantine/hooks";

interface Binding {
  keys: readonly string[]; // in the notation of useHotkeys
  shown: readonly string[];
  does: string;
}

export const kKeys = {
  search: { keys: ["/", "shift+/"], shown: ["/"], does: "Search, or jump to a trace id" },
  help: { keys: ["?", "shift+?"], shown: ["?"], does: "Show these keys" },
  next: { keys: ["j", "ArrowDown"], shown: ["j", "↓"], does: "Next row" },
  previous: { keys: ["k", "ArrowUp"], shown: ["k", "↑"], does: "Previous row" },
  open: { keys: ["Enter"], shown: ["Enter"], does: "Open the row" },
  close: { keys: ["Escape"], shown: ["Esc"], does: "Close the details" },
  collapse: { keys: ["h", "ArrowLeft"], shown: ["h", "←"], does: "Collapse, or go to the parent" },
  expand: { keys: ["l", "ArrowRight"], shown: ["l", "→"], does: "Expand" },
  find: { keys: ["f"], shown: ["f"], does: "Find in the trace" },
  nextMatch: { keys: ["n"], shown: ["n"], does: "Next match" },
  previousMatch: { keys: ["shift+N"], shown: ["N"], does: "Previous match" },
  zoom: { keys: ["z"], shown: ["z"], does: "Zoom to the span" },
  zoomOut: { keys: ["0"], shown: ["0"], does: "Show the whole trace" },
} as const satisfies Record<string, Binding>;

export type KeyName = keyof typeof kKeys;

export const kKeyGroups: readonly { title: string; names: readonly KeyName[] }[] = [
  { title: "Everywhere", names: ["search", "help"] },
  { title: "Lists", names: ["next", "previous", "open"] },
  { title: "Trace", names: ["collapse", "expand", "find", "nextMatch", "previousMatch", "zoom", "zoomOut", "close"] },
];

function isTaken(event: KeyboardEvent): boolean {
  if (!(event.target instanceof Element)) return false;
  const inPopup = event.target.closest("[role=dialog], [role=menu], [role=listbox]") !== null;
  return inPopup || (event.key === "Enter" && event.target.closest("button, a") !== null);
}

// Binds keys by name while the calling component is mounted. Fields that take text, dialogs and menus keep their keys,
// and Enter on a button or a link stays that button's.
export function useKeys(actions: Partial<Record<KeyName, () => void>>): void {
  const items = Object.entries(actions).flatMap(([name, action]) =>
    kKeys[name as KeyName].keys.map((key): HotkeyItem => {
      const run = (event: KeyboardEvent) => {
        if (isTaken(event)) return;
        event.preventDefault();
        action();
      };
      return [key, run, { preventDefault: false }];
    }),
  );
  useHotkeys(items);
}
