// SPDX-License-Identifier: Apache-2.0
//
// The list of traces as text to paste elsewhere: CSV (RFC 4180) or JSON, in units that the names tell.

import type { TraceSummary } from "../../api/trace_summary";

function record(trace: TraceSummary) {
  return {
    trace_id: trace.traceId,
    start: new Date(trace.start / 1000).toISOString(),
    service: trace.rootService,
    operation: trace.rootOperation,
    duration_us: trace.duration,
    spans: trace.spanCount,
    errors: trace.errorCount,
    services: trace.services.map((service) => service.name).join(" "),
    model: trace.llm?.model ?? "",
    input_tokens: trace.llm?.inputTokens ?? "",
    output_tokens: trace.llm?.outputTokens ?? "",
  };
}

function quoted(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(traces: readonly TraceSummary[]): string {
  const records = traces.map(record);
  const names = Object.keys(records[0] ?? {});
  const lines = records.map((row) => Object.values(row).map(quoted).join(","));
  return [names.join(","), ...lines].join("\r\n");
}

export function toJson(traces: readonly TraceSummary[]): string {
  return JSON.stringify(traces.map(record), undefined, 2);
}
