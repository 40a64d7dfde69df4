// SPDX-License-Identifier: Apache-2.0
//
// The part of a trace that is in view, on the horizontal axis.

export interface TimeWindow {
  from: number; // microseconds after the start of the trace
  to: number; // > from
}

// Where a time stands, in percent of the window's width; beyond [0, 100] when outside.
export function percentOf(window: TimeWindow, time: number): number {
  return (100 * (time - window.from)) / (window.to - window.from);
}

export interface BarPlace {
  left: number; // percent, [0, 100]
  width: number; // percent, left + width <= 100
  labelSide: "right" | "left" | "inside";
  isOutside: boolean; // nothing of the bar is in the window
}

const kLabelPercent = 12; // room that a label needs beside a bar. Guess

// A bar from `offset` of `length` microseconds, which may be negative: it is then drawn as a mark at its start.
export function placeBar(window: TimeWindow, offset: number, length: number): BarPlace {
  const begin = percentOf(window, offset);
  const end = percentOf(window, offset + Math.max(0, length));
  const left = Math.min(100, Math.max(0, begin));
  const right = Math.min(100, Math.max(0, end));
  const labelSide = right <= 100 - kLabelPercent ? "right" : left >= kLabelPercent ? "left" : "inside";
  return { left, width: right - left, labelSide, isOutside: end < 0 || begin > 100 };
}
