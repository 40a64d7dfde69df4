// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { traceIdIn } from "./trace_id";

const kId = "4bf92f3577b34da6a3ce929d0e0e4736";

it.each([
  [kId, kId],
  [` ${kId.toUpperCase()} `, kId],
  [`00-${kId}-00f067aa0ba902b7-01`, kId],
  ["4bf92f35-77b3-4da6-a3ce-929d0e0e4736", kId],
  ["c350", "c350"],
])("finds the id in '%s'", (text, id) => {
  expect(traceIdIn(text)).toBe(id);
});

it.each(["", "error=true", `${kId}0`, "llm_request"])("finds none in '%s'", (text) => {
  expect(traceIdIn(text)).toBeUndefined();
});
