// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import type { JaegerTag } from "./jaeger_json";
import { makeTrace, tag } from "../testing/traces";
import { attributesOf, hasFailed, isLlmKey, isPromptKey, kindOf, statusOf, tagNumber } from "./span_tags";

function spanWith(...tags: JaegerTag[]) {
  const span = makeTrace({ id: "a", tags }).spans[0];
  if (!span) throw new Error("no span");
  return span;
}

it("reads kind and status from Jaeger's tags", () => {
  const span = spanWith(tag("span.kind", "server"), tag("otel.status_code", "ERROR"), tag("error", true));
  expect([kindOf(span), statusOf(span), hasFailed(span)]).toEqual(["server", "ERROR", true]);
  expect([kindOf(spanWith()), statusOf(spanWith()), hasFailed(spanWith())]).toEqual(["unspecified", "UNSET", false]);
});

// Scenario: Envoy sends error="true" as a text of its own and leaves the status unset.
// Guarantees: the span counts as failed, and the attribute is still shown; only Jaeger's echo of the status is not.
it("tells a sender's error from Jaeger's echo of the status", () => {
  const envoy = spanWith(tag("error", "true"));
  expect(hasFailed(envoy)).toBe(true);
  expect(attributesOf(envoy)).toHaveLength(1);
  expect(attributesOf(spanWith(tag("otel.status_code", "ERROR"), tag("error", true), tag("a", 1)))).toEqual([
    tag("a", 1),
  ]);
});

it("hides what people wrote, and only that", () => {
  expect(
    ["gen_ai.input.messages", "gen_ai.prompt", "gen_ai.completion.0.content", "gen_ai.system_instructions"].every(
      isPromptKey,
    ),
  ).toBe(true);
  expect(["gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens", "gen_ai.prompt_name"].some(isPromptKey)).toBe(
    false,
  );
});

it("knows the attributes of LLM serving", () => {
  expect(["gen_ai.request.id", "llm_d.epp.pd.reason", "vllm.process_id"].every(isLlmKey)).toBe(true);
  expect(isLlmKey("http.route")).toBe(false);
});

it("reads numbers that JSON can't carry", () => {
  expect(tagNumber({ key: "a", type: "float64", value: "NaN" })).toBeNaN();
  expect(tagNumber({ key: "a", type: "float64", value: "-Infinity" })).toBe(-Infinity);
  expect(tagNumber({ key: "a", type: "string", value: "12" })).toBeUndefined();
  expect(tagNumber({ key: "a", type: "int64", value: "9223372036854775807" })).toBeUndefined();
});
