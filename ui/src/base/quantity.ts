// SPDX-License-Identifier: Apache-2.0
//
// Quantities as text: at most three significant digits and always a unit. Durations are microseconds throughout the
// page, as in Jaeger's JSON; a fraction of one is allowed, since attributes carry nanoseconds.

const kMinus = "\u2212";
const kSpace = "\u00a0";

interface Unit {
  name: string;
  size: number; // in microseconds
  below: number; // used while the rounded value is below this
}

const kDurationUnits: readonly Unit[] = [
  { name: "ns", size: 1e-3, below: 1000 },
  { name: "µs", size: 1, below: 1000 },
  { name: "ms", size: 1e3, below: 1000 },
  { name: "s", size: 1e6, below: 1000 },
  { name: "min", size: 6e7, below: 120 },
  { name: "h", size: 3.6e9, below: 48 },
  { name: "d", size: 8.64e10, below: Infinity },
];

const kByteUnits: readonly Unit[] = [
  { name: "B", size: 1, below: 1024 },
  { name: "KiB", size: 1024, below: 1024 },
  { name: "MiB", size: 1024 ** 2, below: 1024 },
  { name: "GiB", size: 1024 ** 3, below: Infinity },
];

function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}

// At most three significant digits; whole numbers of four digits and more keep all of them, grouped.
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : `${kMinus}∞`;
  const magnitude = Math.abs(rounded(value));
  const text =
    magnitude >= 1000
      ? magnitude.toLocaleString("en-US")
      : magnitude !== 0 && magnitude < 1e-4
        ? magnitude.toExponential()
        : String(magnitude);
  return value < 0 && magnitude !== 0 ? kMinus + text : text;
}

function inUnits(value: number, units: readonly Unit[]): string {
  const unit = units.find((u) => rounded(Math.abs(value) / u.size) < u.below) ?? units.at(-1);
  return unit ? `${formatNumber(value / unit.size)}${kSpace}${unit.name}` : formatNumber(value);
}

export function formatDuration(microseconds: number): string {
  return microseconds === 0 ? `0${kSpace}µs` : inUnits(microseconds, kDurationUnits);
}

// A time relative to the start of a trace, with its sign.
export function formatOffset(microseconds: number): string {
  return microseconds < 0 ? formatDuration(microseconds) : `+${formatDuration(microseconds)}`;
}

export function formatBytes(bytes: number): string {
  return inUnits(bytes, kByteUnits);
}

export function formatTokens(tokens: number): string {
  return `${formatNumber(tokens)}${kSpace}tok`;
}

export function formatRatio(ratio: number): string {
  return `${formatNumber(ratio * 100)}${kSpace}%`;
}

// "1 span", "412 spans".
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)}${kSpace}${noun}${count === 1 ? "" : "s"}`;
}
