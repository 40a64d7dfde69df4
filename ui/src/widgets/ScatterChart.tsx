// SPDX-License-Identifier: Apache-2.0
//
// Points over time on a logarithmic axis of durations. Marked points are rings, the others dots, so that not only the
// colour tells them apart.

import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize, useMergedRef } from "@mantine/hooks";
import { useEffect, useEffectEvent, useRef } from "react";
import uPlot from "uplot";
import { formatDuration } from "../base/quantity";
import { formatTick } from "../base/time";
import { cssColour } from "./css_colour";
import styles from "./ScatterChart.module.css";

const kReachPixels = 24; // a point this near to the pointer is meant
const kClickPixels = 4; // the pointer moves less in a click, and more in a drag

export interface Point {
  x: number; // microseconds since the epoch
  y: number; // microseconds
  isMarked: boolean;
}

export interface Hovered {
  index: number; // of the points given
  left: number; // pixels, within the chart
  top: number;
}

interface Props {
  points: readonly Point[];
  height: number; // pixels
  onHover: (hovered: Hovered | undefined) => void;
  onOpen: (index: number) => void;
  onRange: (from: number, to: number) => void; // microseconds since the epoch
}

const kPowersMost = 6; // ticks that fit one above the other
const kMarginShare = 0.015; // of the width, so that the outermost points are whole
const kLeastMargin = 0.5; // seconds
// eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum exists in the types only
const kLogarithmic: uPlot.Scale.Distr = 3;
const kLeastMicroseconds = 1; // a logarithm has no zero

function toData(points: readonly Point[]): uPlot.AlignedData {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const ys = (isMarked: boolean) =>
    sorted.map((point) => (point.isMarked === isMarked ? Math.max(kLeastMicroseconds, point.y) : null));
  return [sorted.map((point) => point.x / 1e6), ys(false), ys(true)];
}

function series(colour: string, isFilled: boolean): uPlot.Series {
  const stroke = () => cssColour(colour);
  return {
    stroke,
    paths: () => null,
    points: { show: true, size: isFilled ? 6 : 9, width: 2, stroke, fill: () => (isFilled ? stroke() : "transparent") },
  };
}

function axis(extra: uPlot.Axis): uPlot.Axis {
  const line = () => cssColour("--line");
  return {
    stroke: () => cssColour("--text-2"),
    font: "11px system-ui, sans-serif",
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
    ...extra,
  };
}

function options(height: number, width: number, hooks: uPlot.Hooks.Arrays): uPlot.Options {
  return {
    width,
    height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false },
    scales: { x: { time: true, range: padded }, y: { distr: kLogarithmic } },
    axes: [
      axis({
        size: 26,
        space: 80,
        values: (_plot, splits, _axis, _space, step) => splits.map((split) => formatTick(split * 1e6, step * 1e6)),
      }),
      axis({
        size: 62,
        splits: (_plot, _axis, least, most) => powersOfTen(least, most),
        values: (_plot, splits) => splits.map(formatDuration),
        filter: (_plot, splits) => splits,
      }),
    ],
    series: [{}, series("--accent", true), series("--error", false)],
    hooks,
  };
}

function padded(plot: uPlot): uPlot.Range.MinMax {
  const times = plot.data[0];
  const [from = 0, to = from] = [times[0], times.at(-1)];
  const margin = Math.max(kLeastMargin, (to - from) * kMarginShare);
  return [from - margin, to + margin];
}

function powersOfTen(least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least));
  const count = Math.floor(Math.log10(most)) - first + 1;
  const powers = Array.from({ length: Math.max(0, count) }, (_, i) => 10 ** (first + i));
  return powers.length > kPowersMost ? powers.filter((_, i) => i % 2 === 0) : powers;
}

function nearest(chart: uPlot, points: readonly Point[]): Hovered | undefined {
  const { left = -1, top = -1 } = chart.cursor;
  if (left < 0 || top < 0) return undefined;
  let best: Hovered | undefined;
  let bestDistance = kReachPixels;
  points.forEach((point, index) => {
    const x = chart.valToPos(point.x / 1e6, "x");
    const y = chart.valToPos(Math.max(kLeastMicroseconds, point.y), "y");
    const distance = Math.hypot(x - left, y - top);
    if (distance >= bestDistance) return;
    bestDistance = distance;
    best = { index, left: chart.over.offsetLeft + x, top: chart.over.offsetTop + y };
  });
  return best;
}

export function ScatterChart({ points, height, onHover, onOpen, onRange }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const { ref: sized, width } = useElementSize<HTMLDivElement>();
  const ref = useMergedRef(frame, sized);
  const chart = useRef<uPlot>(null);
  const scheme = useComputedColorScheme();

  const hover = useEffectEvent((plot: uPlot) => onHover(nearest(plot, points)));
  const open = useEffectEvent((plot: uPlot) => {
    const meant = nearest(plot, points);
    if (meant) onOpen(meant.index);
  });
  const select = useEffectEvent((plot: uPlot) => {
    const { left, width: extent } = plot.select;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (extent > kClickPixels)
      onRange(Math.floor(plot.posToVal(left, "x") * 1e6), Math.ceil(plot.posToVal(left + extent, "x") * 1e6));
  });
  const create = useEffectEvent((parent: HTMLDivElement) => {
    const plot = new uPlot(
      options(height, parent.clientWidth, { setCursor: [hover], setSelect: [select] }),
      toData(points),
      parent,
    );
    let pressedAt = 0;
    plot.over.addEventListener("mousedown", (event) => (pressedAt = event.clientX));
    plot.over.addEventListener("click", (event) => Math.abs(event.clientX - pressedAt) < kClickPixels && open(plot));
    return plot;
  });

  useEffect(() => {
    if (!frame.current) return;
    const plot = create(frame.current);
    chart.current = plot;
    return () => plot.destroy();
  }, []);
  useEffect(() => chart.current?.setData(toData(points)), [points]);
  useEffect(() => {
    if (width > 0) chart.current?.setSize({ width, height });
  }, [width, height]);
  useEffect(() => chart.current?.redraw(false), [scheme]);

  return <div ref={ref} className={styles.chart} style={{ height }} data-testid="scatter" />;
}
