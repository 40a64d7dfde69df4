// SPDX-License-Identifier: Apache-2.0
//
// Looking for text in a trace: in operations, services, span ids, keys and values of attributes, and `key=value`.

import type { JaegerSpan, JaegerTag } from "./jaeger_json";
import { spanAt, type TraceColumns } from "./trace_columns";

function tagMatches(tag: JaegerTag, needle: string): boolean {
  const value = String(tag.value).toLowerCase();
  const key = tag.key.toLowerCase();
  return key.includes(needle) || value.includes(needle) || (needle.includes("=") && `${key}=${value}`.includes(needle));
}

function anyTag(tags: readonly JaegerTag[] | null | undefined, needle: string): boolean {
  return tags?.some((tag) => tagMatches(tag, needle)) ?? false;
}

function spanMatches(span: JaegerSpan, needle: string): boolean {
  return (
    span.operationName.toLowerCase().includes(needle) ||
    span.spanID.startsWith(needle) ||
    anyTag(span.tags, needle) ||
    (span.logs?.some((log) => anyTag(log.fields, needle)) ?? false)
  );
}

function matchingProcesses(columns: TraceColumns, needle: string): Set<string> {
  const entries = Object.entries(columns.trace.processes);
  const matching = entries.filter(([, process]) =>
    [process?.serviceName.toLowerCase().includes(needle), anyTag(process?.tags, needle)].some(Boolean),
  );
  return new Set(matching.map(([id]) => id));
}

// Rows that hold the text, in order; none for an empty text. Upper and lower case are the same.
export function findSpans(columns: TraceColumns, text: string): number[] {
  const needle = text.trim().toLowerCase();
  if (needle === "") return [];
  const processes = matchingProcesses(columns, needle);
  const rows: number[] = [];
  for (let row = 0; row < columns.rowCount; row++) {
    const span = spanAt(columns, row);
    if (span && (processes.has(span.processID) || spanMatches(span, needle))) rows.push(row);
  }
  return rows;
}

// The match after (step 1) or before (step -1) a row, going round; -1 if there is none.
export function neighbourMatch(matches: readonly number[], row: number, step: 1 | -1): number {
  const next = step === 1 ? matches.find((match) => match > row) : matches.findLast((match) => match < row);
  return next ?? (step === 1 ? matches[0] : matches.at(-1)) ?? -1;
}
