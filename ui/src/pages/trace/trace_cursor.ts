// SPDX-License-Identifier: Apache-2.0
//
// Moving about in a trace: which row the keyboard stands on, which subtrees are collapsed, which part of time is shown.

import { useMemo, useState } from "react";
import { hasChildren, rowOfSpan, spanAt, type TraceColumns } from "../../api/trace_columns";
import type { TraceState } from "../../api/trace_state";
import { carriedRows, revealed, visibleRows } from "../../api/visible_rows";
import { useKeys } from "../../base/keyboard";
import type { TimeWindow } from "../../widgets/time_window";

export type ChangeTrace = (next: Partial<TraceState>, replace?: boolean) => void;

export interface TraceCursor {
  rows: Int32Array; // not hidden by a collapsed ancestor
  collapsed: ReadonlySet<number>;
  cursor: number; // row, -1 for none
  goTo: (row: number) => void; // makes a row visible and stands on it
  select: (row: number) => void; // opens the details of a row
  toggle: (row: number) => void;
  collapseAll: () => void;
  expandAll: () => void;
}

function withToggled(collapsed: ReadonlySet<number>, row: number): ReadonlySet<number> {
  const next = new Set(collapsed);
  if (!next.delete(row)) next.add(row);
  return next;
}

// Every subtree but those of the roots, so that the services called first stay in view.
function allInner(columns: TraceColumns): ReadonlySet<number> {
  const rows = new Set<number>();
  for (let row = 0; row < columns.rowCount; row++) {
    if ((columns.depth[row] ?? 0) > 0 && hasChildren(columns, row)) rows.add(row);
  }
  return rows;
}

function zoomWindow(columns: TraceColumns, row: number): TimeWindow {
  const from = columns.offset[row] ?? 0;
  const length = Math.max(1, columns.length[row] ?? 0);
  return {
    from: Math.max(0, Math.floor(from - length * 0.05)),
    to: Math.ceil(Math.min(columns.duration, from + length * 1.05)),
  };
}

interface Place {
  columns: TraceColumns; // whose rows the others are
  collapsed: ReadonlySet<number>;
  standing: number; // row, -1 for none
}

// The same place after the trace was loaded again.
function carried({ columns, collapsed, standing }: Place, to: TraceColumns): Place {
  return {
    columns: to,
    collapsed: new Set(carriedRows(columns, to, collapsed)),
    standing: carriedRows(columns, to, [standing])[0] ?? -1,
  };
}

// `onScroll` is told the place of a row among `rows` that is to come into view.
export function useTraceCursor(
  columns: TraceColumns,
  state: TraceState,
  onChange: ChangeTrace,
  onScroll: (index: number) => void,
): TraceCursor {
  const [place, setPlace] = useState<Place>(() => ({ columns, collapsed: new Set(), standing: -1 }));
  if (place.columns !== columns) setPlace(carried(place, columns));
  const { collapsed, standing } = place;
  const setCollapsed = (rows: ReadonlySet<number>) => setPlace((current) => ({ ...current, collapsed: rows }));
  const setStanding = (row: number) => setPlace((current) => ({ ...current, standing: row }));
  const selected = useMemo(() => (state.span ? rowOfSpan(columns, state.span) : -1), [columns, state.span]);
  const rows = useMemo(() => visibleRows(columns, collapsed), [columns, collapsed]);
  const cursor = selected >= 0 && standing < 0 ? selected : standing;

  const select = (row: number, replace = false) => {
    setStanding(row);
    onChange({ span: spanAt(columns, row)?.spanID ?? "" }, replace);
  };
  const goTo = (row: number) => {
    if (row < 0) return;
    const open = revealed(columns, collapsed, row);
    setCollapsed(open);
    onScroll(visibleRows(columns, open).indexOf(row));
    if (state.span) select(row, true);
    else setStanding(row);
  };
  const step = (by: number) => goTo(rows[Math.min(rows.length - 1, Math.max(0, rows.indexOf(cursor) + by))] ?? -1);
  const toggle = (row: number) => setCollapsed(withToggled(collapsed, row));
  const isOpen = cursor >= 0 && hasChildren(columns, cursor) && !collapsed.has(cursor);

  useKeys({
    next: () => step(1),
    previous: () => step(-1),
    open: () => cursor >= 0 && select(cursor),
    close: () => onChange({ span: "" }),
    collapse: () => (isOpen ? toggle(cursor) : goTo(columns.parent[cursor] ?? -1)),
    expand: () => collapsed.has(cursor) && toggle(cursor),
    zoom: () => cursor >= 0 && onChange(zoomWindow(columns, cursor)),
    zoomOut: () => onChange({ from: undefined, to: undefined }),
  });
  return {
    rows,
    collapsed,
    cursor,
    goTo,
    select,
    toggle,
    collapseAll: () => setCollapsed(allInner(columns)),
    expandAll: () => setCollapsed(new Set()),
  };
}
