// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { placeBar } from "./time_window";

const kWindow = { from: 100, to: 200 };

it("cuts bars at the edges of the window", () => {
  expect(placeBar(kWindow, 50, 100)).toMatchObject({ left: 0, width: 50, isOutside: false });
  expect(placeBar(kWindow, 150, 500)).toMatchObject({ left: 50, width: 50, isOutside: false });
});

it("says when nothing of a bar is in the window", () => {
  expect(placeBar(kWindow, 0, 50).isOutside).toBe(true);
  expect(placeBar(kWindow, 201, 5).isOutside).toBe(true);
});

it("draws a negative duration as a mark at its start", () => {
  expect(placeBar(kWindow, 150, -80)).toMatchObject({ left: 50, width: 0, isOutside: false });
});

it("puts the label where there is room", () => {
  expect(placeBar(kWindow, 110, 10).labelSide).toBe("right");
  expect(placeBar(kWindow, 190, 10).labelSide).toBe("left");
  expect(placeBar(kWindow, 100, 100).labelSide).toBe("inside");
});
