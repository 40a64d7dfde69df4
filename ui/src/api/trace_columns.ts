// SPDX-License-Identifier: Apache-2.0
//
// A trace as columns: what the waterfall and the minimap draw, without an object per span. Rows are the spans in
// depth-first order, children by start time, so that the subtree of a row is the rows that follow it. What senders get
// wrong is kept and marked: parents that are missing, cycles, ids used twice, negative durations.

import type { JaegerSpan, JaegerTrace } from "./jaeger_json";
import { hasFailed, kindOf, type SpanKind } from "./span_tags";
import { parentReference, serviceName } from "./trace_summary";

export const kFlagError = 1;
export const kFlagOrphan = 2; // names a parent that is not in this trace, or that is its own descendant
export const kFlagEarly = 4; // starts before its parent
export const kFlagLate = 8; // ends after its parent

const kKinds: readonly SpanKind[] = ["unspecified", "internal", "server", "client", "producer", "consumer"];

export interface TraceColumns {
  trace: JaegerTrace;
  start: number; // microseconds since the epoch
  duration: number; // microseconds, from the first start to the last end
  services: string[]; // in order of their first row
  depthMax: number;
  errorCount: number;
  orphanCount: number;
  rowCount: number;
  // All below: [rowCount].
  span: Int32Array; // index into trace.spans
  parent: Int32Array; // row, -1 for roots
  subtreeEnd: Int32Array; // first row after the subtree
  depth: Int32Array;
  offset: Float64Array; // microseconds after `start`
  length: Float64Array; // microseconds, negative where the sender said so
  service: Int32Array; // index into `services`
  kind: Uint8Array;
  flags: Uint8Array;
}

// The tree over trace.spans, as lists linked through arrays. Both: [spans], span index or -1.
interface Links {
  parent: Int32Array;
  children: (number[] | undefined)[];
}

function linkParents(spans: readonly JaegerSpan[]): Links {
  const byId = new Map<string, number>();
  spans.forEach((span, i) => {
    if (!byId.has(span.spanID)) byId.set(span.spanID, i);
  });
  const parent = new Int32Array(spans.length).fill(-1);
  const children: (number[] | undefined)[] = new Array<undefined>(spans.length);
  spans.forEach((span, i) => {
    const id = parentReference(span);
    const at = id === undefined ? undefined : byId.get(id);
    if (at === undefined || at === i) return;
    parent[i] = at;
    (children[at] ??= []).push(i);
  });
  return { parent, children };
}

function byStart(spans: readonly JaegerSpan[]): (a: number, b: number) => number {
  return (a, b) => (spans[a]?.startTime ?? 0) - (spans[b]?.startTime ?? 0) || a - b;
}

// Spans in depth-first order. Spans of a cycle hang under no root: the earliest of them is cut loose and becomes one.
function depthFirst(spans: readonly JaegerSpan[], links: Links): Int32Array {
  const order = byStart(spans);
  const rows = new Int32Array(spans.length);
  const seen = new Uint8Array(spans.length);
  let count = 0;
  const visit = (root: number) => {
    const stack = [root];
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at]) continue;
      seen[at] = 1;
      rows[count++] = at;
      for (const child of links.children[at]?.sort((a, b) => order(b, a)) ?? []) stack.push(child);
    }
  };
  const sorted = spans.map((_, i) => i).sort(order);
  sorted.filter((i) => links.parent[i] === -1).forEach(visit);
  for (const i of sorted) {
    if (seen[i]) continue;
    links.parent[i] = -1;
    visit(i);
  }
  return rows;
}

function bounds(spans: readonly JaegerSpan[]): { start: number; end: number } {
  let start = Infinity;
  let end = -Infinity;
  for (const span of spans) {
    start = Math.min(start, span.startTime);
    end = Math.max(end, span.startTime + Math.max(0, span.duration));
  }
  return spans.length === 0 ? { start: 0, end: 0 } : { start, end };
}

function allocate(trace: JaegerTrace, start: number, duration: number): TraceColumns {
  const rowCount = trace.spans.length;
  return {
    trace,
    start,
    duration,
    services: [],
    depthMax: 0,
    errorCount: 0,
    orphanCount: 0,
    rowCount,
    span: new Int32Array(rowCount),
    parent: new Int32Array(rowCount),
    subtreeEnd: new Int32Array(rowCount),
    depth: new Int32Array(rowCount),
    offset: new Float64Array(rowCount),
    length: new Float64Array(rowCount),
    service: new Int32Array(rowCount),
    kind: new Uint8Array(rowCount),
    flags: new Uint8Array(rowCount),
  };
}

function flagsOf(columns: TraceColumns, row: number, span: JaegerSpan): number {
  const parent = columns.parent[row] ?? -1;
  const failed = hasFailed(span) ? kFlagError : 0;
  if (parent < 0) return failed | (parentReference(span) === undefined ? 0 : kFlagOrphan);
  const begin = columns.offset[parent] ?? 0;
  const end = begin + (columns.length[parent] ?? 0);
  const early = span.startTime - columns.start < begin ? kFlagEarly : 0;
  const late = span.startTime + span.duration - columns.start > end ? kFlagLate : 0;
  return failed | early | late;
}

function fillSubtreeEnds(columns: TraceColumns): void {
  for (let row = columns.rowCount - 1; row >= 0; row--) {
    const end = Math.max(columns.subtreeEnd[row] ?? 0, row + 1);
    columns.subtreeEnd[row] = end;
    const parent = columns.parent[row] ?? -1;
    if (parent >= 0) columns.subtreeEnd[parent] = Math.max(columns.subtreeEnd[parent] ?? 0, end);
  }
}

function fillRow(columns: TraceColumns, row: number, span: JaegerSpan, service: number): void {
  const parent = columns.parent[row] ?? -1;
  columns.depth[row] = parent < 0 ? 0 : (columns.depth[parent] ?? 0) + 1;
  columns.offset[row] = span.startTime - columns.start;
  columns.length[row] = span.duration;
  columns.service[row] = service;
  columns.kind[row] = kKinds.indexOf(kindOf(span));
  const flags = flagsOf(columns, row, span);
  columns.flags[row] = flags;
  columns.depthMax = Math.max(columns.depthMax, (columns.depth[row] ?? 0) + 1);
  columns.errorCount += flags & kFlagError ? 1 : 0;
  columns.orphanCount += flags & kFlagOrphan ? 1 : 0;
}

// O(n log n); 50 000 spans take some tens of milliseconds.
export function buildColumns(trace: JaegerTrace): TraceColumns {
  const links = linkParents(trace.spans);
  const rows = depthFirst(trace.spans, links);
  const { start, end } = bounds(trace.spans);
  const columns = allocate(trace, start, end - start);
  const rowOf = new Int32Array(rows.length);
  const services = new Map<string, number>();
  rows.forEach((at, row) => {
    const span = trace.spans[at];
    if (!span) return;
    rowOf[at] = row;
    columns.span[row] = at;
    const parent = links.parent[at] ?? -1;
    columns.parent[row] = parent < 0 ? -1 : (rowOf[parent] ?? -1);
    const name = serviceName(trace, span);
    if (!services.has(name)) services.set(name, services.size);
    fillRow(columns, row, span, services.get(name) ?? 0);
  });
  columns.services = [...services.keys()];
  fillSubtreeEnds(columns);
  return columns;
}

export function spanAt(columns: TraceColumns, row: number): JaegerSpan | undefined {
  return columns.trace.spans[columns.span[row] ?? -1];
}

export function kindAt(columns: TraceColumns, row: number): SpanKind {
  return kKinds[columns.kind[row] ?? 0] ?? "unspecified";
}

export function serviceAt(columns: TraceColumns, row: number): string {
  return columns.services[columns.service[row] ?? 0] ?? "";
}

export function hasChildren(columns: TraceColumns, row: number): boolean {
  return (columns.subtreeEnd[row] ?? 0) > row + 1;
}

// The row of a span id, -1 if there is none. Of an id used twice, the first row.
export function rowOfSpan(columns: TraceColumns, spanId: string): number {
  for (let row = 0; row < columns.rowCount; row++) {
    if (spanAt(columns, row)?.spanID === spanId) return row;
  }
  return -1;
}
