// SPDX-License-Identifier: Apache-2.0
//
// What the number in an attribute measures, told from its name, and its text with a unit. Engines disagree on units:
// vLLM sends gen_ai.latency.* in seconds, Alibaba's variant of it in nanoseconds, llm-d's proxy *_ms in milliseconds.

import { formatBytes, formatDuration, formatNumber, formatRatio, formatTokens } from "./quantity";

export type Measure =
  "seconds" | "milliseconds" | "microseconds" | "nanoseconds" | "bytes" | "tokens" | "ratio" | "number";

const kMeasures: readonly [RegExp, Measure][] = [
  [/^gen_ai\.latency\./, "seconds"],
  [/\.time_to_first_(chunk|token)$|\.time_per_output_(chunk|token)$/, "seconds"],
  [/_ms$/, "milliseconds"],
  [/_(us|micros)$/, "microseconds"],
  [/_(ns|nanos)$/, "nanoseconds"],
  [/_(seconds|secs)$/, "seconds"],
  [/^gen_ai\.usage\.num_sequences$/, "number"],
  [/^gen_ai\.usage\.|[._]tokens$|[._]token_count$/, "tokens"],
  [/[._]bytes$|(body|payload)[._]size$|[._]content_length$|payload_size_bytes$/, "bytes"],
  [/_ratio$/, "ratio"],
];

// No request waits this many seconds, but every nanosecond count is a larger integer. Guess.
const kSecondsMax = 1e6;

export function measureOf(key: string, type: string, value: number): Measure {
  const measure = kMeasures.find(([pattern]) => pattern.test(key))?.[1] ?? "number";
  const areNanoseconds = key.startsWith("gen_ai.latency.") && type === "int64" && value >= kSecondsMax;
  return areNanoseconds ? "nanoseconds" : measure;
}

const kMicrosecondsPer: Partial<Record<Measure, number>> = {
  seconds: 1e6,
  milliseconds: 1e3,
  microseconds: 1,
  nanoseconds: 1e-3,
};

// The microseconds that a measured time stands for; undefined for what is not a time.
export function toMicroseconds(measure: Measure, value: number): number | undefined {
  const factor = kMicrosecondsPer[measure];
  return factor === undefined ? undefined : value * factor;
}

export function formatMeasure(measure: Measure, value: number): string {
  const time = toMicroseconds(measure, value);
  if (!Number.isFinite(value)) return formatNumber(value);
  if (time !== undefined) return formatDuration(time);
  if (measure === "tokens") return formatTokens(value);
  if (measure === "bytes") return formatBytes(value);
  if (measure === "ratio") return formatRatio(value);
  return formatNumber(value);
}
