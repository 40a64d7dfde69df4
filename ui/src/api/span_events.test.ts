// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { eventText, isTrouble, shownCounts } from "./span_events";

const kDelivered = { part: "exporter", id: "otlp", event: "delivered", spans: 0 };
const kLost = { part: "exporter", id: "otlp", event: "lost", cause: "shutdown", spans: 3 };
const kNew = { part: "exporter", id: "otlp", event: "beamed", spans: 1 };

it("names events, with their cause, and leaves a new one as it is", () => {
  expect([kDelivered, kLost, kNew].map(eventText)).toEqual(["delivered", "lost: shutdown", "beamed"]);
});

it("tells trouble, once there is any", () => {
  expect([kDelivered, kLost, { ...kLost, spans: 0 }, kNew].map(isTrouble)).toEqual([false, true, false, false]);
});

it("shows what happened and what should happen", () => {
  expect(shownCounts([kDelivered, kLost, { ...kLost, spans: 0 }, kNew])).toEqual([kDelivered, kLost, kNew]);
});
