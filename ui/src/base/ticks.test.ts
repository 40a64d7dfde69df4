// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { niceTicks } from "./ticks";

it("steps by 1, 2 or 5 times a power of ten", () => {
  expect(niceTicks(0, 1000, 5)).toEqual([0, 200, 400, 600, 800, 1000]);
  expect(niceTicks(0, 730, 5)).toEqual([0, 200, 400, 600]);
  expect(niceTicks(130, 190, 4)).toEqual([140, 160, 180]);
});

it("never gives more than asked for, and one for an empty span", () => {
  for (const span of [1, 7, 33, 999, 1e9]) expect(niceTicks(0, span, 6).length).toBeLessThanOrEqual(7);
  expect(niceTicks(5, 5, 6)).toEqual([5]);
});
