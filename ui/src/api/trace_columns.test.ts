// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { makeTrace, tag } from "../testing/traces";
import {
  buildColumns,
  kFlagEarly,
  kFlagError,
  kFlagLate,
  kFlagOrphan,
  kindAt,
  rowOfSpan,
  serviceAt,
  spanAt,
  type TraceColumns,
} from "./trace_columns";

function ids(columns: TraceColumns, rows: Iterable<number> = columns.span.keys()): string {
  return [...rows].map((row) => spanAt(columns, row)?.spanID).join(" ");
}

function flags(columns: TraceColumns, id: string): number {
  return columns.flags[rowOfSpan(columns, id)] ?? -1;
}

describe("the order of rows", () => {
  // Scenario: children arrive before their parents and out of time order.
  // Guarantees: depth-first, siblings by start.
  it("is depth first, siblings by start", () => {
    const columns = buildColumns(
      makeTrace(
        { id: "b2", parent: "b", at: 30 },
        { id: "b", parent: "a", at: 20 },
        { id: "b1", parent: "b", at: 25 },
        { id: "c", parent: "a", at: 10 },
        { id: "a" },
      ),
    );
    expect(ids(columns)).toBe("a c b b1 b2");
    expect([...columns.depth]).toEqual([0, 1, 1, 2, 2]);
    expect([...columns.subtreeEnd]).toEqual([5, 2, 5, 4, 5]);
    expect(columns.depthMax).toBe(3);
  });

  it("shows orphans as roots with a mark", () => {
    const columns = buildColumns(
      makeTrace({ id: "a" }, { id: "lost", parent: "gone", at: 5 }, { id: "child", parent: "lost", at: 6 }),
    );
    expect(ids(columns)).toBe("a lost child");
    expect(flags(columns, "lost") & kFlagOrphan).toBeTruthy();
    expect(flags(columns, "child") & kFlagOrphan).toBe(0);
    expect(columns.orphanCount).toBe(1);
  });

  // Scenario: two spans that are each other's parent, one that is its own, and a branch under the cycle.
  // Guarantees: every span has exactly one row; the cycle is cut at its earliest span, which is marked.
  it("cuts cycles at their earliest span", () => {
    const columns = buildColumns(
      makeTrace(
        { id: "x", parent: "y", at: 20 },
        { id: "y", parent: "x", at: 10 },
        { id: "leaf", parent: "x", at: 30 },
        { id: "self", parent: "self", at: 40 },
      ),
    );
    expect(ids(columns)).toBe("self y x leaf");
    expect(flags(columns, "y") & kFlagOrphan).toBeTruthy();
    expect(flags(columns, "self") & kFlagOrphan).toBeTruthy();
  });

  it("keeps both spans of an id used twice, children under the first", () => {
    const columns = buildColumns(
      makeTrace(
        { id: "a" },
        { id: "b", parent: "a", at: 1, name: "first" },
        { id: "b", parent: "a", at: 2, name: "second" },
        { id: "c", parent: "b", at: 3 },
      ),
    );
    expect([...columns.span.keys()].map((row) => spanAt(columns, row)?.operationName)).toEqual([
      "a",
      "first",
      "c",
      "second",
    ]);
  });

  it("ignores links and parents in other traces", () => {
    const columns = buildColumns(
      makeTrace(
        { id: "a" },
        {
          id: "b",
          at: 1,
          references: [
            { refType: "FOLLOWS_FROM", traceID: "t1", spanID: "a" },
            { refType: "CHILD_OF", traceID: "other", spanID: "a" },
          ],
        },
      ),
    );
    expect([...columns.parent]).toEqual([-1, -1]);
    expect(columns.orphanCount).toBe(0);
  });
});

describe("times", () => {
  it("span from the first start to the last end, whatever a negative duration says", () => {
    const columns = buildColumns(makeTrace({ id: "a", at: 50, for: 100 }, { id: "b", at: 0, for: -20 }));
    expect(columns.duration).toBe(150);
    expect([...columns.length]).toEqual([-20, 100]);
  });

  // Scenario: guide-era llm-d, where decode hangs under a prefill that has already ended.
  // Guarantees: the child is marked as late; one that starts too soon as early; one inside as neither.
  it("mark children outside of their parent", () => {
    const columns = buildColumns(
      makeTrace(
        { id: "prefill", at: 100, for: 50 },
        { id: "decode", parent: "prefill", at: 151, for: 400 },
        { id: "soon", parent: "prefill", at: 90, for: 20 },
        { id: "in", parent: "prefill", at: 110, for: 40 },
      ),
    );
    expect(flags(columns, "decode")).toBe(kFlagLate);
    expect(flags(columns, "soon")).toBe(kFlagEarly);
    expect(flags(columns, "in")).toBe(0);
  });

  it("give an empty trace no duration and no rows", () => {
    const columns = buildColumns(makeTrace());
    expect([columns.rowCount, columns.duration, columns.start]).toEqual([0, 0, 0]);
  });
});

it("keeps service, kind and error of each row", () => {
  const columns = buildColumns(
    makeTrace(
      { id: "a", service: "epp", tags: [tag("span.kind", "server")] },
      { id: "b", parent: "a", service: "vllm", tags: [tag("span.kind", "client"), tag("error", true)] },
    ),
  );
  expect([serviceAt(columns, 0), serviceAt(columns, 1)]).toEqual(["epp", "vllm"]);
  expect([kindAt(columns, 0), kindAt(columns, 1)]).toEqual(["server", "client"]);
  expect(flags(columns, "b") & kFlagError).toBeTruthy();
  expect(columns.errorCount).toBe(1);
});

// Scenario: a chain of 20 000 spans, and a parent with 30 000 children.
// Guarantees: depth costs no call stack, and width no argument list.
it("builds deep and wide traces", () => {
  const chain = Array.from({ length: 20_000 }, (_, i) =>
    i === 0 ? { id: "0" } : { id: String(i), parent: String(i - 1), at: i },
  );
  const wide = Array.from({ length: 30_000 }, (_, i) => ({ id: `w${i}`, parent: "0", at: i }));
  const columns = buildColumns(makeTrace(...chain, ...wide));
  expect(columns.depthMax).toBe(20_000);
  expect(columns.subtreeEnd[0]).toBe(50_000);
});
