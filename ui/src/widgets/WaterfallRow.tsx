// SPDX-License-Identifier: Apache-2.0
//
// One span of the waterfall: its name in the tree and its bar on the time axis.

import { IconAlertTriangleFilled, IconChevronRight, IconClockExclamation, IconUnlink } from "@tabler/icons-react";
import { memo } from "react";
import {
  hasChildren,
  kFlagEarly,
  kFlagError,
  kFlagLate,
  kFlagOrphan,
  kindAt,
  serviceAt,
  spanAt,
  type TraceColumns,
} from "../api/trace_columns";
import { formatDuration, formatNumber } from "../base/quantity";
import { colourVariable } from "../base/service_colour";
import { KindLetter } from "./KindLetter";
import { placeBar, type TimeWindow } from "./time_window";
import styles from "./Waterfall.module.css";

const kIndentPixels = 14;
const kIndentMost = 168; // pixels; deeper trees are drawn narrower

function indentOf(columns: TraceColumns, row: number): { step: number; width: number } {
  const step = Math.min(kIndentPixels, kIndentMost / Math.max(1, columns.depthMax - 1));
  return { step, width: step * (columns.depth[row] ?? 0) };
}

// How a span lies outside of its parent's time, in words; undefined if it does not.
function outsideText(columns: TraceColumns, row: number): string | undefined {
  const flags = columns.flags[row] ?? 0;
  const parent = columns.parent[row] ?? -1;
  if (!(flags & (kFlagEarly | kFlagLate)) || parent < 0) return undefined;
  const begin = columns.offset[parent] ?? 0;
  const end = begin + (columns.length[parent] ?? 0);
  const offset = columns.offset[row] ?? 0;
  const late = offset + (columns.length[row] ?? 0) - end;
  const early = flags & kFlagEarly ? `Starts ${formatDuration(begin - offset)} before its parent` : "";
  const after =
    offset >= end
      ? `Starts ${formatDuration(offset - end)} after its parent has ended`
      : `Ends ${formatDuration(late)} after its parent`;
  return [early, flags & kFlagLate ? after : ""].filter(Boolean).join("\n");
}

// The service is written only where it changes: the coloured stripe says it everywhere.
function isNewService(columns: TraceColumns, row: number): boolean {
  const parent = columns.parent[row] ?? -1;
  return parent < 0 || columns.service[parent] !== columns.service[row];
}

interface Props {
  columns: TraceColumns;
  row: number;
  top: number; // pixels
  window: TimeWindow;
  colour: number;
  isCollapsed: boolean;
  isChosen: boolean;
  isMatch: boolean;
  onSelect: (row: number) => void;
  onToggle: (row: number) => void;
}

function Toggle({ columns, row, isCollapsed, onToggle }: Pick<Props, "columns" | "row" | "isCollapsed" | "onToggle">) {
  const hidden = (columns.subtreeEnd[row] ?? 0) - row - 1;
  if (!hasChildren(columns, row)) return <span className={styles.toggle} />;
  return (
    <button
      type="button"
      tabIndex={-1}
      className={styles.toggle}
      data-open={!isCollapsed || undefined}
      aria-label={isCollapsed ? `Expand, ${hidden} spans` : "Collapse"}
      onClick={(event) => {
        event.stopPropagation();
        onToggle(row);
      }}
    >
      <IconChevronRight size={13} stroke={2} />
    </button>
  );
}

function Marks({ flags }: { flags: number }) {
  return (
    <>
      {(flags & kFlagOrphan) !== 0 && (
        <span className={styles.warning} title="Its parent span is not in this trace">
          <IconUnlink size={13} stroke={1.8} />
        </span>
      )}
      {(flags & kFlagError) !== 0 && (
        <span className={styles.error} title="Failed" data-testid="span-error">
          <IconAlertTriangleFilled size={12} />
        </span>
      )}
    </>
  );
}

function Name(props: Props) {
  const { columns, row, colour, isCollapsed } = props;
  const { step, width } = indentOf(columns, row);
  const operation = spanAt(columns, row)?.operationName ?? "";
  const service = serviceAt(columns, row);
  const hidden = (columns.subtreeEnd[row] ?? 0) - row - 1;
  return (
    <div className={styles.name}>
      <span className={styles.indent} style={{ width, backgroundSize: `${step}px 100%` }} />
      <Toggle {...props} />
      <span className={styles.stripe} style={{ background: colourVariable(colour) }} />
      <Marks flags={columns.flags[row] ?? 0} />
      <span className={`ellipsis ${styles.label ?? ""}`} title={`${service}\n${operation}`}>
        {isNewService(columns, row) && <span className={styles.service}>{service} </span>}
        <span className={styles.operation}>{operation || "(no name)"}</span>
      </span>
      {isCollapsed && <span className={styles.hidden}>+{formatNumber(hidden)}</span>}
      <KindLetter kind={kindAt(columns, row)} />
    </div>
  );
}

function Bar({ columns, row, window, colour }: Pick<Props, "columns" | "row" | "window" | "colour">) {
  const length = columns.length[row] ?? 0;
  const { left, width, labelSide, isOutside } = placeBar(window, columns.offset[row] ?? 0, length);
  const outside = outsideText(columns, row);
  if (isOutside) return <div className={styles.time} />;
  return (
    <div className={styles.time}>
      <div
        className={styles.bar}
        style={{ left: `${left}%`, width: `${width}%`, ["--bar" as string]: colourVariable(colour) }}
        data-error={((columns.flags[row] ?? 0) & kFlagError) !== 0 || undefined}
      />
      <div
        className={styles.duration}
        data-side={labelSide}
        style={
          labelSide === "left"
            ? { right: `${100 - left}%` }
            : { left: `${labelSide === "right" ? left + width : left}%` }
        }
      >
        {formatDuration(length)}
        {outside !== undefined && (
          <span className={styles.warning} title={outside}>
            <IconClockExclamation size={13} stroke={1.8} />
          </span>
        )}
      </div>
    </div>
  );
}

export const WaterfallRow = memo(function WaterfallRow(props: Props) {
  const { columns, row, top, isCollapsed, isChosen, isMatch, onSelect } = props;
  return (
    <div
      className={styles.row}
      style={{ transform: `translateY(${top}px)` }}
      role="treeitem"
      aria-level={(columns.depth[row] ?? 0) + 1}
      aria-expanded={hasChildren(columns, row) ? !isCollapsed : undefined}
      aria-selected={isChosen}
      data-chosen={isChosen || undefined}
      data-match={isMatch || undefined}
      data-testid="span-row"
      data-span-id={spanAt(columns, row)?.spanID}
      onClick={() => onSelect(row)}
    >
      <Name {...props} />
      <Bar {...props} />
    </div>
  );
});
