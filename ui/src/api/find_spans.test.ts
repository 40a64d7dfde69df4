// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { makeTrace, tag } from "../testing/traces";
import { findSpans, neighbourMatch } from "./find_spans";
import { buildColumns } from "./trace_columns";

const columns = buildColumns(
  makeTrace(
    { id: "a1", service: "EPP", name: "gateway.request" },
    {
      id: "b2",
      parent: "a1",
      at: 1,
      service: "vllm",
      name: "llm_request",
      tags: [tag("gen_ai.usage.prompt_tokens", 312)],
    },
    { id: "c3", parent: "a1", at: 2, service: "vllm", name: "other", tags: [tag("http.status_code", 500)] },
  ),
);

it.each([
  ["GATEWAY", [0]],
  ["epp", [0]],
  ["vllm", [1, 2]],
  ["prompt_tokens", [1]],
  ["312", [1]],
  ["http.status_code=500", [2]],
  ["http.status_code=404", []],
  ["c3", [2]],
  ["  ", []],
])("finds '%s'", (text, rows) => {
  expect(findSpans(columns, text)).toEqual(rows);
});

it("goes round at either end", () => {
  expect(neighbourMatch([2, 5, 9], 5, 1)).toBe(9);
  expect(neighbourMatch([2, 5, 9], 9, 1)).toBe(2);
  expect(neighbourMatch([2, 5, 9], 2, -1)).toBe(9);
  expect(neighbourMatch([2, 5, 9], -1, 1)).toBe(2);
  expect(neighbourMatch([], 3, 1)).toBe(-1);
});
