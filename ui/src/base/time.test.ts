// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { formatAbsolute, formatRelative, formatTick, fromLocalInput, toLocalInput } from "./time";

const kNow = 1_795_369_000_000_000;

it.each([
  [0, "just now"],
  [38, "38 s ago"],
  [125, "2 min ago"],
  [7300, "2 h ago"],
  [200_000, "2 d ago"],
  [-5, "in 5 s"],
])("says how long ago %d s are", (seconds, text) => {
  expect(formatRelative(kNow - seconds * 1e6, kNow).replaceAll("\u00a0", " ")).toBe(text);
});

it("writes no more of a tick than its step needs", () => {
  expect(formatTick(kNow, 86_400e6)).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(formatTick(kNow, 300e6)).toMatch(/^\d\d:\d\d$/);
  expect(formatTick(kNow, 5e6)).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(formatTick(kNow, 0.1e6)).toMatch(/\.000$/);
});

it("keeps microseconds in an absolute time", () => {
  expect(formatAbsolute(kNow + 123_456)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.123456 UTC/);
});

// Scenario: a start time beyond what a Date can hold.
// Guarantees: text instead of an exception.
it("does not fail on a time that no calendar has", () => {
  expect(formatAbsolute(9e18)).toContain("since 1970");
});

it("reads back what it writes into a time field", () => {
  expect(fromLocalInput(toLocalInput(kNow))).toBe(kNow);
  expect(fromLocalInput("")).toBeUndefined();
  expect(fromLocalInput("soon")).toBeUndefined();
});
