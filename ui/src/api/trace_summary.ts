// SPDX-License-Identifier: Apache-2.0
//
// One row of the search results: a trace in a few numbers. Counts are of the stored spans.

import type { JaegerSpan, JaegerTrace } from "./jaeger_json";
import { type LlmUsage, llmUsage } from "./llm_usage";
import { hasFailed } from "./span_tags";

export interface ServiceCount {
  name: string;
  spans: number;
  errors: number;
}

export interface TraceSummary {
  traceId: string;
  rootService: string;
  rootOperation: string;
  isRootMissing: boolean; // the earliest span stands in for a root that was not stored
  start: number; // microseconds
  duration: number; // microseconds, from the first start to the last end
  spanCount: number;
  errorCount: number;
  services: ServiceCount[]; // most spans first
  llm: LlmUsage | undefined;
}

export function serviceName(trace: JaegerTrace, span: JaegerSpan): string {
  return trace.processes[span.processID]?.serviceName ?? "unknown service";
}

export function parentReference(span: JaegerSpan): string | undefined {
  return span.references?.find((ref) => ref.refType === "CHILD_OF" && ref.traceID === span.traceID)?.spanID;
}

function earliest(spans: readonly JaegerSpan[]): JaegerSpan | undefined {
  return spans.reduce<JaegerSpan | undefined>(
    (first, span) => (first && first.startTime <= span.startTime ? first : span),
    undefined,
  );
}

function countServices(trace: JaegerTrace): ServiceCount[] {
  const counts = new Map<string, ServiceCount>();
  for (const span of trace.spans) {
    const name = serviceName(trace, span);
    const count = counts.get(name) ?? { name, spans: 0, errors: 0 };
    count.spans += 1;
    count.errors += hasFailed(span) ? 1 : 0;
    counts.set(name, count);
  }
  return [...counts.values()].sort((a, b) => b.spans - a.spans || a.name.localeCompare(b.name));
}

// Undefined for a trace without spans.
export function summarise(trace: JaegerTrace): TraceSummary | undefined {
  const root = earliest(trace.spans.filter((span) => parentReference(span) === undefined));
  const first = earliest(trace.spans);
  if (!first) return undefined;
  const shown = root ?? first;
  const end = trace.spans.reduce(
    (last, span) => Math.max(last, span.startTime + Math.max(0, span.duration)),
    first.startTime,
  );
  const services = countServices(trace);
  return {
    traceId: trace.traceID,
    rootService: serviceName(trace, shown),
    rootOperation: shown.operationName,
    isRootMissing: root === undefined,
    start: first.startTime,
    duration: end - first.startTime,
    spanCount: trace.spans.length,
    errorCount: services.reduce((total, service) => total + service.errors, 0),
    services,
    llm: llmUsage(trace.spans, (span) => serviceName(trace, span)),
  };
}
