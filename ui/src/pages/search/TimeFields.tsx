// SPDX-License-Identifier: Apache-2.0
//
// The time range of a search: a lookback from now, or a start and an end.

import { Select, TextInput } from "@mantine/core";
import { kCustomLookback, kLookbacks } from "../../api/search_state";
import { parseDuration } from "../../base/duration_text";
import { fromLocalInput, toLocalInput } from "../../base/time";
import type { FieldProps } from "./SearchForm";
import styles from "./SearchForm.module.css";

const kNames: Record<string, string> = {
  "5m": "Last 5 min",
  "15m": "Last 15 min",
  "1h": "Last hour",
  "6h": "Last 6 h",
  "24h": "Last 24 h",
  "2d": "Last 2 days",
};

function options(chosen: string) {
  const lookbacks: string[] = [...kLookbacks];
  if (chosen !== kCustomLookback && !lookbacks.includes(chosen)) lookbacks.push(chosen);
  return [
    ...lookbacks.map((value) => ({ value, label: kNames[value] ?? `Last ${value}` })),
    { value: kCustomLookback, label: "From … to …" },
  ];
}

// A range to begin with: what was looked back at so far.
function rangeOf(lookback: string): { start: number; end: number } {
  const end = Math.floor(Date.now() / 1000) * 1e6;
  return { start: end - (parseDuration(lookback) ?? 0), end };
}

export function TimeFields({ draft, onEdit }: FieldProps) {
  const isCustom = draft.lookback === kCustomLookback;
  const choose = (lookback: string) => {
    const range =
      lookback === kCustomLookback && !isCustom ? rangeOf(draft.lookback) : { start: draft.start, end: draft.end };
    onEdit(lookback === kCustomLookback ? { lookback, ...range } : { lookback, start: undefined, end: undefined });
  };
  return (
    <>
      <Select
        label="Time"
        className={styles.time}
        data={options(draft.lookback)}
        value={draft.lookback}
        onChange={(lookback) => lookback !== null && choose(lookback)}
        allowDeselect={false}
        data-testid="lookback-select"
      />
      {isCustom && (
        <>
          <TextInput
            label="From"
            type="datetime-local"
            step={1}
            value={toLocalInput(draft.start ?? 0)}
            onChange={(event) => onEdit({ start: fromLocalInput(event.currentTarget.value) ?? draft.start })}
            data-testid="time-from"
          />
          <TextInput
            label="To"
            type="datetime-local"
            step={1}
            value={toLocalInput(draft.end ?? 0)}
            onChange={(event) => onEdit({ end: fromLocalInput(event.currentTarget.value) ?? draft.end })}
            data-testid="time-to"
          />
        </>
      )}
    </>
  );
}
