// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { summarise, type TraceSummary } from "../../api/trace_summary";
import { makeTrace, tag } from "../../testing/traces";
import { sortTraces } from "./result_order";
import { toCsv, toJson } from "./result_text";

function summary(id: string, change: Partial<TraceSummary> = {}): TraceSummary {
  const made = summarise(makeTrace({ id: "a", name: "root", tags: [tag("gen_ai.usage.input_tokens", 5)] }));
  if (!made) throw new Error("no summary");
  return { ...made, traceId: id, ...change };
}

const ids = (traces: TraceSummary[]) => traces.map((trace) => trace.traceId).join("");

describe("sortTraces", () => {
  const traces = [
    summary("a", { start: 1, duration: 9 }),
    summary("b", { start: 3, duration: 9, errorCount: 2 }),
    summary("c", { start: 2, duration: 10 }),
  ];

  it("puts the most first and breaks ties by start", () => {
    expect(ids(sortTraces(traces, "newest"))).toBe("bca");
    expect(ids(sortTraces(traces, "longest"))).toBe("cba");
    expect(ids(sortTraces(traces, "errors"))).toBe("bca");
  });

  it("leaves what it was given as it was", () => {
    sortTraces(traces, "newest");
    expect(ids(traces)).toBe("abc");
  });
});

// Scenario: an operation with a comma, a quote and a line break in its name.
// Guarantees: one record of the CSV is still one record, and the JSON is JSON.
it("copies names that CSV must quote", () => {
  const traces = [summary("a", { rootOperation: 'GET "x",\ny', start: 1e12 })];
  expect(toCsv(traces).split("\r\n")[1]).toBe('a,1970-01-12T13:46:40.000Z,svc,"GET ""x"",\ny",10,1,0,svc,,5,0');
  expect(JSON.parse(toJson(traces))).toMatchObject([{ trace_id: "a", operation: 'GET "x",\ny', duration_us: 10 }]);
});
