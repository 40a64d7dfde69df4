// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { makeTrace } from "../testing/traces";
import { buildColumns, hasChildren, spanAt, type TraceColumns } from "./trace_columns";
import { carriedRows, revealed, visibleRows } from "./visible_rows";

function ids(columns: TraceColumns, rows: Iterable<number>): string {
  return [...rows].map((row) => spanAt(columns, row)?.spanID).join(" ");
}

describe("collapsing", () => {
  const columns = buildColumns(
    makeTrace(
      { id: "a" },
      { id: "b", parent: "a", at: 1 },
      { id: "c", parent: "b", at: 2 },
      { id: "d", parent: "a", at: 3 },
    ),
  );

  it("hides the whole subtree", () => {
    expect(ids(columns, visibleRows(columns, new Set([1])))).toBe("a b d");
    expect(ids(columns, visibleRows(columns, new Set([0, 1])))).toBe("a");
    expect(ids(columns, visibleRows(columns, new Set()))).toBe("a b c d");
  });

  it("opens every ancestor of a row that is to be seen, and nothing else", () => {
    expect(revealed(columns, new Set([0, 1]), 2)).toEqual(new Set());
    expect(revealed(columns, new Set([1]), 3)).toEqual(new Set([1]));
    expect(hasChildren(columns, 1)).toBe(true);
    expect(hasChildren(columns, 2)).toBe(false);
  });
});

// Scenario: a trace is loaded again, with a late span before the others and one span gone.
// Guarantees: a row is followed by its span, not by its number.
it("follows spans when their rows have moved", () => {
  const before = buildColumns(makeTrace({ id: "a" }, { id: "b", parent: "a", at: 5 }, { id: "c", parent: "a", at: 6 }));
  const after = buildColumns(
    makeTrace({ id: "a" }, { id: "late", parent: "a", at: 1 }, { id: "b", parent: "a", at: 5 }),
  );
  expect(ids(after, carriedRows(before, after, [1, 2]))).toBe("b");
  expect(carriedRows(before, after, [])).toEqual([]);
});
