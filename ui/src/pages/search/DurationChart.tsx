// SPDX-License-Identifier: Apache-2.0
//
// The traces found as points: duration over start. A click opens a trace, a dragged range becomes the time searched.

import { useMemo, useState } from "react";
import type { TraceSummary } from "../../api/trace_summary";
import { formatCount, formatDuration } from "../../base/quantity";
import { formatAbsolute } from "../../base/time";
import { ScatterChart } from "../../widgets/ScatterChart";
import styles from "./DurationChart.module.css";

interface Props {
  traces: readonly TraceSummary[];
  onOpen: (traceId: string) => void;
  onRange: (start: number, end: number) => void; // microseconds
}

function Described({ trace }: { trace: TraceSummary }) {
  return (
    <>
      <strong>{formatDuration(trace.duration)}</strong> {trace.rootService}{" "}
      <span className="dim">{trace.rootOperation}</span>
      <div className="dim">
        {formatAbsolute(trace.start)} · {formatCount(trace.spanCount, "span")}
        {trace.errorCount > 0 && ` · ${formatCount(trace.errorCount, "error")}`}
      </div>
    </>
  );
}

export function DurationChart({ traces, onOpen, onRange }: Props) {
  const [hovered, setHovered] = useState<{ index: number; left: number; top: number }>();
  const trace = hovered && traces[hovered.index];
  const points = useMemo(
    () => traces.map((each) => ({ x: each.start, y: each.duration, isMarked: each.errorCount > 0 })),
    [traces],
  );
  return (
    <figure className={styles.chart} aria-label="Duration of the traces over their start">
      <ScatterChart
        points={points}
        height={132}
        onHover={setHovered}
        onOpen={(index) => traces[index] && onOpen(traces[index].traceId)}
        onRange={onRange}
      />
      {trace && (
        <figcaption
          className={styles.tip}
          style={{ left: hovered.left, top: hovered.top }}
          data-flip={hovered.left > window.innerWidth / 2 || undefined}
        >
          <Described trace={trace} />
        </figcaption>
      )}
    </figure>
  );
}
