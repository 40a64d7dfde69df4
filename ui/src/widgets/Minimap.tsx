// SPDX-License-Identifier: Apache-2.0
//
// The whole trace in a strip. Dragging chooses the part in view, a double click shows all again.

import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type PointerEvent, useEffect, useRef, useState } from "react";
import { kFlagError, type TraceColumns } from "../api/trace_columns";
import { cssColour } from "./css_colour";
import styles from "./Minimap.module.css";
import { percentOf, type TimeWindow } from "./time_window";

const kHeight = 52; // pixels
const kDragPixels = 4; // less is a click

interface Props {
  columns: TraceColumns;
  colours: readonly number[]; // of columns.services
  window: TimeWindow;
  onWindow: (window: TimeWindow | undefined) => void; // undefined: all
}

function draw(canvas: HTMLCanvasElement, width: number, columns: TraceColumns, colours: readonly number[]): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = kHeight * scale;
  context.scale(scale, scale);
  const palette = colours.map((colour) => cssColour(`--service-${colour}`));
  const error = cssColour("--error");
  const perMicrosecond = columns.duration > 0 ? width / columns.duration : 0;
  const pitch = (kHeight - 8) / Math.max(1, columns.rowCount);
  const thickness = Math.min(4, Math.max(1, pitch * 0.7));
  for (let row = 0; row < columns.rowCount; row++) {
    const failed = ((columns.flags[row] ?? 0) & kFlagError) !== 0;
    context.fillStyle = failed ? error : (palette[columns.service[row] ?? 0] ?? error);
    const length = Math.max(0, columns.length[row] ?? 0);
    context.fillRect(
      (columns.offset[row] ?? 0) * perMicrosecond,
      4 + row * pitch,
      Math.max(1, length * perMicrosecond),
      thickness,
    );
  }
}

// The drag under way, as shares of the width.
function useDrag(columns: TraceColumns, width: number, onWindow: Props["onWindow"]) {
  const [drag, setDrag] = useState<{ begin: number; end: number }>();
  const shareOf = (event: PointerEvent<HTMLDivElement>) => {
    const area = event.currentTarget.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
  };
  const down = (event: PointerEvent<HTMLDivElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ begin: shareOf(event), end: shareOf(event) });
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (drag) setDrag({ ...drag, end: shareOf(event) });
  };
  const up = () => {
    if (drag && Math.abs(drag.end - drag.begin) * width > kDragPixels) {
      const [from, to] = [Math.min(drag.begin, drag.end), Math.max(drag.begin, drag.end)];
      onWindow({ from: Math.floor(from * columns.duration), to: Math.ceil(to * columns.duration) });
    }
    setDrag(undefined);
  };
  return { drag, down, move, up };
}

function Shade({ from, to }: { from: number; to: number }) {
  return <div className={styles.shade} style={{ left: `${from}%`, width: `${Math.max(0, to - from)}%` }} />;
}

export function Minimap({ columns, colours, window, onWindow }: Props) {
  const { ref: frame, width } = useElementSize<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme();
  const { drag, down, move, up } = useDrag(columns, width, onWindow);
  useEffect(() => {
    if (canvas.current && width > 0) draw(canvas.current, width, columns, colours);
  }, [columns, colours, width, scheme]);

  const all = { from: 0, to: Math.max(1, columns.duration) };
  return (
    <div className={styles.strip}>
      <div
        ref={frame}
        className={styles.frame}
        style={{ height: kHeight }}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onDoubleClick={() => onWindow(undefined)}
        title="Drag to zoom, double click for the whole trace"
        data-testid="minimap"
      >
        <canvas ref={canvas} className={styles.canvas} />
        <Shade from={0} to={percentOf(all, window.from)} />
        <Shade from={percentOf(all, window.to)} to={100} />
        {drag && (
          <div
            className={styles.drag}
            style={{
              left: `${100 * Math.min(drag.begin, drag.end)}%`,
              width: `${100 * Math.abs(drag.end - drag.begin)}%`,
            }}
          />
        )}
      </div>
    </div>
  );
}
