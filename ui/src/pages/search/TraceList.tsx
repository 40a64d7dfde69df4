// SPDX-License-Identifier: Apache-2.0
//
// The traces found, one a row; only the rows in view exist in the document.

import { Button, Menu } from "@mantine/core";
import { IconCopy } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { Sort } from "../../api/search_state";
import type { TraceSummary } from "../../api/trace_summary";
import { copyText } from "../../base/clipboard";
import { useKeys } from "../../base/keyboard";
import { useNow } from "../../base/now";
import { formatCount } from "../../base/quantity";
import { assignColours } from "../../base/service_colour";
import { toCsv, toJson } from "./result_text";
import styles from "./TraceList.module.css";
import { TraceRow } from "./TraceRow";

const kRowPixels = 30;
const kOverscan = 12;

const kColumns: readonly { title: string; sort?: Sort; isNumber?: boolean }[] = [
  { title: "Start", sort: "newest" },
  { title: "Service and operation" },
  { title: "Services" },
  { title: "Model" },
  { title: "Tokens in → out", sort: "tokens", isNumber: true },
  { title: "Spans", sort: "spans", isNumber: true },
  { title: "Errors", sort: "errors", isNumber: true },
  { title: "Duration", sort: "longest", isNumber: true },
];

function ListHead({ sort, onSort }: { sort: Sort; onSort: (sort: Sort) => void }) {
  return (
    <div className={`${styles.grid ?? ""} ${styles.head ?? ""}`} role="row">
      {kColumns.map(({ title, sort: by, isNumber }) => (
        <div
          key={title}
          role="columnheader"
          className={isNumber ? "number" : undefined}
          aria-sort={by === sort ? "descending" : undefined}
        >
          {by === undefined ? (
            title
          ) : (
            <button
              type="button"
              className={styles.sort}
              onClick={() => onSort(by)}
              data-active={by === sort || undefined}
            >
              {title}
              {by === sort && " ↓"}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

function CopyMenu({ traces }: { traces: readonly TraceSummary[] }) {
  return (
    <Menu>
      <Menu.Target>
        <Button variant="subtle" color="gray" size="compact-xs" leftSection={<IconCopy size={13} />}>
          Copy
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void copyText(toCsv(traces))}>as CSV</Menu.Item>
        <Menu.Item onClick={() => void copyText(toJson(traces))}>as JSON</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

interface Props {
  traces: TraceSummary[];
  limit: number;
  sort: Sort;
  onSort: (sort: Sort) => void;
  onOpen: (traceId: string) => void;
}

export function TraceList({ traces, limit, sort, onSort, onOpen }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState(-1);
  const now = useNow();
  const colours = useMemo(
    () => assignColours(traces.flatMap((trace) => trace.services.map((service) => service.name))),
    [traces],
  );
  const longest = Math.max(...traces.map((trace) => trace.duration));
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer renews itself
  const rows = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kRowPixels,
    overscan: kOverscan,
  });
  const move = (step: number) => {
    const next = Math.min(traces.length - 1, Math.max(0, cursor + step));
    setCursor(next);
    rows.scrollToIndex(next);
  };
  const chosen = traces[cursor];
  useKeys({ next: () => move(1), previous: () => move(-1), open: () => chosen && onOpen(chosen.traceId) });

  return (
    <>
      <div className={styles.bar}>
        <strong data-testid="result-count">{formatCount(traces.length, "trace")}</strong>
        {traces.length >= limit && (
          <span className="dim">the newest {limit}; raise the limit or narrow the time for others</span>
        )}
        <span className={styles.spacer} />
        <CopyMenu traces={traces} />
      </div>
      <ListHead sort={sort} onSort={onSort} />
      <div ref={scroller} className={styles.scroller} data-testid="results">
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const trace = traces[index];
            if (!trace) return null;
            return (
              <TraceRow
                key={trace.traceId}
                trace={trace}
                top={start}
                isChosen={index === cursor}
                now={now}
                longest={longest}
                colours={colours}
              />
            );
          })}
        </div>
      </div>
    </>
  );
}
