// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { kWholeTrace, readTraceState, type TraceState, writeTraceState } from "./trace_state";

it("carries every field there and back", () => {
  const state: TraceState = { span: "1234567890123456", find: "error=true & more", from: 0, to: 1500.5 };
  const address = new URLSearchParams(writeTraceState(state)).toString();
  expect(readTraceState(Object.fromEntries(new URLSearchParams(address)))).toEqual(state);
});

it("is an empty address for the whole trace", () => {
  expect(writeTraceState(kWholeTrace)).toEqual({});
  expect(readTraceState({})).toEqual(kWholeTrace);
});

it("shows the whole trace when the window is none", () => {
  expect(readTraceState({ from: "20", to: "10" })).toEqual(kWholeTrace);
  expect(readTraceState({ from: "20" })).toEqual(kWholeTrace);
  expect(readTraceState({ from: "-1", to: "x" })).toEqual(kWholeTrace);
});

it("understands Jaeger's name for what is looked for", () => {
  expect(readTraceState({ uiFind: "llm_request" }).find).toBe("llm_request");
});
