// SPDX-License-Identifier: Apache-2.0
//
// The spans of a trace as rows on one time axis. Rows are drawn from columns and only while in view, so that a trace of
// 50 000 spans scrolls like one of fifty.

import { Splitter, type SplitterProps } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type PointerEvent, type Ref, useImperativeHandle, useRef, useState } from "react";
import type { TraceColumns } from "../api/trace_columns";
import { formatDuration } from "../base/quantity";
import { niceTicks } from "../base/ticks";
import { percentOf, type TimeWindow } from "./time_window";
import styles from "./Waterfall.module.css";
import { WaterfallRow } from "./WaterfallRow";

const kRowPixels = 24;
const kOverscan = 20;
const kTickPixels = 120; // ticks are at least this far apart
const kEndPercent = 92; // beyond, the label of a tick stands before it
const kNamePixels = 380; // of the name column, but no more than kNameShare of the page
const kNameShare = 0.3;

export interface WaterfallHandle {
  scrollTo: (index: number) => void; // index into `rows`
}

interface Props {
  columns: TraceColumns;
  rows: Int32Array; // rows of `columns` that are shown
  window: TimeWindow;
  colours: readonly number[]; // of columns.services
  collapsed: ReadonlySet<number>;
  matches: ReadonlySet<number>;
  cursor: number; // row, -1 for none
  onSelect: (row: number) => void;
  onToggle: (row: number) => void;
  ref?: Ref<WaterfallHandle>;
}

function Ticks({ window, most, className }: { window: TimeWindow; most: number; className: string | undefined }) {
  return niceTicks(window.from, window.to, most).map((tick) => (
    <div
      key={tick}
      className={className}
      style={{ left: `${percentOf(window, tick)}%` }}
      data-end={percentOf(window, tick) > kEndPercent || undefined}
    >
      <span>{formatDuration(tick)}</span>
    </div>
  ));
}

type Sizes = NonNullable<SplitterProps["sizes"]>; // of the name column, and of the time axis

interface HeadProps {
  window: TimeWindow;
  tickCount: number;
  sizes: Sizes;
  onSizes: (sizes: Sizes) => void;
}

function Head({ window, tickCount, sizes, onSizes }: HeadProps) {
  return (
    <Splitter
      className={styles.head}
      sizes={sizes}
      onSizeChange={onSizes}
      lineSize={1}
      withHandle={false}
      handleColor="var(--line-strong)"
    >
      <Splitter.Pane defaultSize={sizes[0] ?? 0} min="180px">
        <div className={styles.headName}>Service and operation</div>
      </Splitter.Pane>
      <Splitter.Pane defaultSize={100}>
        <div className={styles.axis}>
          <Ticks window={window} most={tickCount} className={styles.tick} />
        </div>
      </Splitter.Pane>
    </Splitter>
  );
}

// The line under the pointer and its time. It moves without rendering anything.
function useCrossHair(window: TimeWindow) {
  const line = useRef<HTMLDivElement>(null);
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const hair = line.current;
    const area = hair?.parentElement?.getBoundingClientRect();
    if (!hair || !area) return;
    const share = (event.clientX - area.left) / area.width;
    hair.style.visibility = share >= 0 && share <= 1 ? "visible" : "hidden";
    hair.style.left = `${share * 100}%`;
    hair.dataset.side = share > 0.9 ? "left" : "right";
    if (hair.firstElementChild)
      hair.firstElementChild.textContent = formatDuration(window.from + share * (window.to - window.from));
  };
  const leave = () => {
    if (line.current) line.current.style.visibility = "hidden";
  };
  return { line, move, leave };
}

export function Waterfall({
  columns,
  rows,
  window,
  colours,
  collapsed,
  matches,
  cursor,
  onSelect,
  onToggle,
  ref,
}: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const [sizes, setSizes] = useState<Sizes>(() => [
    `${Math.min(kNamePixels, document.body.clientWidth * kNameShare)}px`,
    100,
  ]);
  const { ref: axis, width } = useElementSize<HTMLDivElement>();
  const tickCount = Math.max(1, Math.floor(width / kTickPixels));
  const hair = useCrossHair(window);
  // eslint-disable-next-line react-hooks/incompatible-library -- the virtualizer renews itself
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => kRowPixels,
    overscan: kOverscan,
  });
  useImperativeHandle(ref, () => ({ scrollTo: (index) => virtual.scrollToIndex(index) }), [virtual]);

  return (
    <div
      className={styles.waterfall}
      style={{ ["--name-width" as string]: sizes[0] }}
      onPointerMove={hair.move}
      onPointerLeave={hair.leave}
    >
      <Head window={window} tickCount={tickCount} sizes={sizes} onSizes={setSizes} />
      <div className={styles.body}>
        <div ref={axis} className={`${styles.area ?? ""} ${styles.grid ?? ""}`} aria-hidden>
          <Ticks window={window} most={tickCount} className={styles.gridLine} />
        </div>
        <div ref={scroller} className={styles.scroller} role="tree" aria-label="Spans" data-testid="waterfall">
          <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
            {virtual.getVirtualItems().map(({ index, start }) => {
              const row = rows[index] ?? 0;
              return (
                <WaterfallRow
                  key={row}
                  columns={columns}
                  row={row}
                  top={start}
                  window={window}
                  colour={colours[columns.service[row] ?? 0] ?? 0}
                  isCollapsed={collapsed.has(row)}
                  isChosen={row === cursor}
                  isMatch={matches.has(row)}
                  onSelect={onSelect}
                  onToggle={onToggle}
                />
              );
            })}
          </div>
        </div>
        <div className={styles.area} aria-hidden>
          <div ref={hair.line} className={styles.hair}>
            <span />
          </div>
        </div>
      </div>
    </div>
  );
}
