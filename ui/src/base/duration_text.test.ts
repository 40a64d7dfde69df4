// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { durationProblem, parseDuration } from "./duration_text";

it.each([
  ["100ms", 100_000],
  ["1.5s", 1_500_000],
  ["250us", 250],
  ["1m30s", 90_000_000],
  ["2d", 172_800_000_000],
])("reads %s", (text, microseconds) => {
  expect(parseDuration(text)).toBeCloseTo(microseconds);
});

it.each(["", "100", "ms", "1.5 s", "-1s", "1s!", "1e3s"])("refuses '%s'", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

// Scenario: a filter field with nothing, a Go duration, and a number of days.
// Guarantees: only what the server would refuse is called a problem.
it("finds the problem before the server does", () => {
  expect(durationProblem("")).toBeUndefined();
  expect(durationProblem("100ms")).toBeUndefined();
  expect(durationProblem("1d")).toBeDefined();
  expect(durationProblem("fast")).toBeDefined();
});
