// SPDX-License-Identifier: Apache-2.0
//
// Durations as people type them, in the grammar of Go's time.ParseDuration: the one that Jaeger's API expects.

const kMicroseconds: Readonly<Record<string, number>> = {
  ns: 1e-3,
  us: 1,
  µs: 1,
  ms: 1e3,
  s: 1e6,
  m: 6e7,
  h: 3.6e9,
  d: 8.64e10, // not Go's: only lookbacks use it
};

const kPart = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g;

// "1m30s" -> 90 000 000. Undefined when the text is not a duration.
export function parseDuration(text: string): number | undefined {
  const parts = [...text.matchAll(kPart)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) return undefined;
  return parts.reduce((sum, part) => sum + Number(part[1]) * (kMicroseconds[part[2] ?? ""] ?? 0), 0);
}

// What is wrong with a duration that a filter is to use, or undefined. Days are refused: the server does not know them.
export function durationProblem(text: string): string | undefined {
  if (text === "") return undefined;
  return parseDuration(text) === undefined || text.includes("d") ? "For example 100ms or 1.5s" : undefined;
}
