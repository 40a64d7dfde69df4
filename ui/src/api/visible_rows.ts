// SPDX-License-Identifier: Apache-2.0
//
// Which rows of a trace are shown: those that no collapsed ancestor hides.

import { spanAt, type TraceColumns } from "./trace_columns";

// Rows that no collapsed ancestor hides, in order.
export function visibleRows(columns: TraceColumns, collapsed: ReadonlySet<number>): Int32Array {
  const rows = new Int32Array(columns.rowCount);
  let count = 0;
  for (let row = 0; row < columns.rowCount;) {
    rows[count++] = row;
    row = collapsed.has(row) ? (columns.subtreeEnd[row] ?? row + 1) : row + 1;
  }
  return rows.subarray(0, count);
}

// `collapsed` without the ancestors of a row, so that the row is visible.
export function revealed(columns: TraceColumns, collapsed: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const open = new Set(collapsed);
  for (let at = columns.parent[row] ?? -1; at >= 0; at = columns.parent[at] ?? -1) open.delete(at);
  return open.size === collapsed.size ? collapsed : open;
}

// Where the spans of some rows stand after the trace was loaded again; spans that are gone are left out.
export function carriedRows(from: TraceColumns, to: TraceColumns, rows: Iterable<number>): number[] {
  const wanted = new Set([...rows].map((row) => spanAt(from, row)?.spanID));
  if (wanted.size === 0) return [];
  return [...to.span.keys()].filter((row) => wanted.has(spanAt(to, row)?.spanID));
}
