// SPDX-License-Identifier: Apache-2.0
//
// What the tags of a span in Jaeger's JSON say: kind, status, scope, and which tags are attributes that a sender set.

import type { JaegerSpan, JaegerTag } from "./jaeger_json";

export type SpanKind = "server" | "client" | "producer" | "consumer" | "internal" | "unspecified";

export type StatusCode = "OK" | "ERROR" | "UNSET";

const kKinds: readonly SpanKind[] = ["server", "client", "producer", "consumer", "internal"];

// Tags that stand for fields of an OpenTelemetry span, not for its attributes.
const kFieldTags = new Set([
  "span.kind",
  "otel.status_code",
  "otel.status_description",
  "otel.scope.name",
  "otel.scope.version",
]);

function find(tags: readonly JaegerTag[] | null | undefined, key: string): JaegerTag | undefined {
  return tags?.find((tag) => tag.key === key);
}

export function tagText(tags: readonly JaegerTag[] | null | undefined, key: string): string | undefined {
  const value = find(tags, key)?.value;
  return value === undefined || value === null ? undefined : String(value);
}

export function kindOf(span: JaegerSpan): SpanKind {
  const text = tagText(span.tags, "span.kind");
  return kKinds.find((kind) => kind === text) ?? "unspecified";
}

export function statusOf(span: JaegerSpan): StatusCode {
  const text = tagText(span.tags, "otel.status_code");
  return text === "OK" || text === "ERROR" ? text : "UNSET";
}

// A span failed if its status says so, or, for senders without a status, its tag `error`.
export function hasFailed(span: JaegerSpan): boolean {
  return statusOf(span) === "ERROR" || tagText(span.tags, "error") === "true";
}

// The attributes of a span. `error`=true is Jaeger's word for the status ERROR and left out with it; a sender's own
// `error`, which has another type or status, stays.
export function attributesOf(span: JaegerSpan): JaegerTag[] {
  const isError = statusOf(span) === "ERROR";
  return (span.tags ?? []).filter(
    (tag) => !kFieldTags.has(tag.key) && !(isError && tag.key === "error" && tag.value === true),
  );
}

const kLlmPrefixes = ["gen_ai.", "llm_d.", "vllm.", "llm.", "mm."];

export function isLlmKey(key: string): boolean {
  return kLlmPrefixes.some((prefix) => key.startsWith(prefix));
}

const kPromptKeys =
  /^gen_ai\.(input\.messages|output\.messages|system_instructions|prompt|completion)(\.|$)|^gen_ai\.tool\.call\.(arguments|result)$|^llm\.(prompts|completions)(\.|$)/;

// Attributes that hold what people wrote or were answered; the page shows them only when asked.
export function isPromptKey(key: string): boolean {
  return kPromptKeys.test(key);
}

// The number in a tag; undefined for text, and for integers too large to be exact.
export function tagNumber(tag: JaegerTag): number | undefined {
  if (typeof tag.value === "number") return tag.value;
  return tag.type === "float64" && typeof tag.value === "string" ? Number(tag.value) : undefined;
}
