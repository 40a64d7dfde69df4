// SPDX-License-Identifier: Apache-2.0
//
// Traces for tests, in a few words each.

import type { JaegerReference, JaegerSpan, JaegerTag, JaegerTrace } from "../api/jaeger_json";

export function tag(key: string, value: string | number | boolean): JaegerTag {
  const type =
    typeof value === "boolean"
      ? "bool"
      : typeof value === "string"
        ? "string"
        : Number.isInteger(value)
          ? "int64"
          : "float64";
  return { key, type, value };
}

interface SpanWords {
  id: string;
  parent?: string;
  at?: number;
  for?: number;
  service?: string;
  name?: string;
  tags?: JaegerTag[];
  references?: JaegerReference[];
}

function makeSpan(words: SpanWords): JaegerSpan {
  const parent: JaegerReference[] =
    words.parent === undefined ? [] : [{ refType: "CHILD_OF", traceID: "t1", spanID: words.parent }];
  return {
    traceID: "t1",
    spanID: words.id,
    operationName: words.name ?? words.id,
    references: [...parent, ...(words.references ?? [])],
    startTime: 1_000_000 + (words.at ?? 0),
    duration: words.for ?? 10,
    tags: words.tags ?? [],
    processID: words.service ?? "svc",
  };
}

export function makeTrace(...spans: SpanWords[]): JaegerTrace {
  const services = new Set(spans.map((span) => span.service ?? "svc"));
  return {
    traceID: "t1",
    spans: spans.map(makeSpan),
    processes: Object.fromEntries([...services].map((name) => [name, { serviceName: name, tags: [] }])),
  };
}
