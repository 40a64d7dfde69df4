// SPDX-License-Identifier: Apache-2.0

import type { Sort } from "../../api/search_state";
import type { TraceSummary } from "../../api/trace_summary";

export function tokensOf(trace: TraceSummary): number {
  return (trace.llm?.inputTokens ?? 0) + (trace.llm?.outputTokens ?? 0);
}

const kKeys: Record<Sort, (trace: TraceSummary) => number> = {
  newest: (trace) => trace.start,
  longest: (trace) => trace.duration,
  spans: (trace) => trace.spanCount,
  errors: (trace) => trace.errorCount,
  tokens: tokensOf,
};

// Most first; equal ones newest first, then by id, so that the order is the same every time.
export function sortTraces(traces: readonly TraceSummary[], sort: Sort): TraceSummary[] {
  const key = kKeys[sort];
  return traces.toSorted((a, b) => key(b) - key(a) || b.start - a.start || a.traceId.localeCompare(b.traceId));
}
