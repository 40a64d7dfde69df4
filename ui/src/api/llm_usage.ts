// SPDX-License-Identifier: Apache-2.0
//
// Model and tokens of a trace, told from its spans' attributes. The prefill and the decode engine of one request, and a
// client around them, each report the same tokens, so services are compared, not added up.

import type { JaegerSpan, JaegerTag } from "./jaeger_json";
import { tagNumber } from "./span_tags";

export interface LlmUsage {
  model: string | undefined;
  inputTokens: number | undefined;
  outputTokens: number | undefined;
}

const kModelKeys = ["gen_ai.response.model", "gen_ai.request.model"];
const kInputKeys = ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
const kOutputKeys = ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];

interface ServiceTokens {
  inputs: Map<string, number>; // by request: the sequences of one request (n > 1) share their prompt
  output: number;
}

function firstOf(tags: readonly JaegerTag[], keys: readonly string[]): JaegerTag | undefined {
  return tags.find((tag) => keys.includes(tag.key));
}

function numberOf(tags: readonly JaegerTag[], keys: readonly string[]): number | undefined {
  const tag = firstOf(tags, keys);
  return tag && tagNumber(tag);
}

function addSpan(tokens: ServiceTokens, span: JaegerSpan, tags: readonly JaegerTag[]): void {
  const request = String(firstOf(tags, ["gen_ai.request.id"])?.value ?? span.spanID);
  const input = numberOf(tags, kInputKeys) ?? 0;
  tokens.inputs.set(request, Math.max(input, tokens.inputs.get(request) ?? 0));
  tokens.output += numberOf(tags, kOutputKeys) ?? 0;
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

// Undefined when no span tells of a model or tokens.
export function llmUsage(spans: readonly JaegerSpan[], serviceOf: (span: JaegerSpan) => string): LlmUsage | undefined {
  const services = new Map<string, ServiceTokens>();
  let model: string | undefined;
  for (const span of spans) {
    const tags = span.tags ?? [];
    model ??= firstOf(tags, kModelKeys)?.value?.toString();
    if (!firstOf(tags, [...kInputKeys, ...kOutputKeys])) continue;
    const tokens = services.get(serviceOf(span)) ?? { inputs: new Map<string, number>(), output: 0 };
    services.set(serviceOf(span), tokens);
    addSpan(tokens, span, tags);
  }
  if (model === undefined && services.size === 0) return undefined;
  if (services.size === 0) return { model, inputTokens: undefined, outputTokens: undefined };
  const all = [...services.values()];
  return {
    model,
    inputTokens: Math.max(...all.map((tokens) => sum(tokens.inputs.values()))),
    outputTokens: Math.max(...all.map((tokens) => tokens.output)),
  };
}
