// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { makeTrace, tag } from "../testing/traces";
import { summarise } from "./trace_summary";

it("names the root and counts spans, errors and services", () => {
  const summary = summarise(
    makeTrace(
      { id: "b", parent: "a", service: "vllm-decode", at: 5, for: 100, tags: [tag("error", true)] },
      { id: "a", service: "epp", name: "gateway.request", at: 0, for: 20 },
      { id: "c", parent: "a", service: "vllm-decode", at: 6, for: 1 },
    ),
  );
  expect(summary).toMatchObject({
    rootService: "epp",
    rootOperation: "gateway.request",
    isRootMissing: false,
    duration: 105,
    spanCount: 3,
    errorCount: 1,
  });
  expect(summary?.services).toEqual([
    { name: "vllm-decode", spans: 2, errors: 1 },
    { name: "epp", spans: 1, errors: 0 },
  ]);
});

// Scenario: a client sent the traceparent but not its span, so that every stored span has a parent elsewhere.
// Guarantees: the earliest span stands in for the root, and the row says so.
it("takes the earliest span when the root was not stored", () => {
  const summary = summarise(
    makeTrace({ id: "b", parent: "x", at: 5, name: "later" }, { id: "a", parent: "x", name: "first" }),
  );
  expect(summary).toMatchObject({ rootOperation: "first", isRootMissing: true });
});

it("has nothing to say of a trace without spans", () => {
  expect(summarise(makeTrace())).toBeUndefined();
});
