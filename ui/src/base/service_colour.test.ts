// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { assignColours, kServiceColours } from "./service_colour";

it("gives different services different colours while there are enough", () => {
  const names = Array.from({ length: kServiceColours }, (_, i) => `service-${i}`);
  expect(new Set(assignColours(names).values()).size).toBe(kServiceColours);
});

it("shares colours, and ends, when there are more services than colours", () => {
  const names = Array.from({ length: 40 }, (_, i) => `service-${i}`);
  expect(assignColours(names).size).toBe(40);
});

it("does not depend on the order of the services", () => {
  const names = ["vllm-decode", "vllm-prefill", "routing-proxy", "llm-d-router/epp"];
  expect(assignColours(names)).toEqual(assignColours([...names].reverse()));
});
