// SPDX-License-Identifier: Apache-2.0
//
// Round positions for the ticks of a time axis.

// Multiples of 1, 2 or 5 times a power of ten within [from, to], at most `most` + 1 of them.
export function niceTicks(from: number, to: number, most: number): number[] {
  const span = to - from;
  if (!(span > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= most) ?? span;
  const first = Math.ceil(from / step);
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}
