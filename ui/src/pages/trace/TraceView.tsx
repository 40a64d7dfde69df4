// SPDX-License-Identifier: Apache-2.0
//
// A loaded trace: header, minimap, waterfall, and the details of one span beside it.

import { useDocumentTitle } from "@mantine/hooks";
import { useDeferredValue, useEffect, useEffectEvent, useMemo, useRef } from "react";
import { findSpans, neighbourMatch } from "../../api/find_spans";
import type { JaegerTrace } from "../../api/jaeger_json";
import { buildColumns, rowOfSpan, serviceAt, spanAt } from "../../api/trace_columns";
import type { TraceState } from "../../api/trace_state";
import { assignColours } from "../../base/service_colour";
import { Minimap } from "../../widgets/Minimap";
import { Waterfall, type WaterfallHandle } from "../../widgets/Waterfall";
import { SpanDrawer } from "./SpanDrawer";
import { type ChangeTrace, useTraceCursor } from "./trace_cursor";
import { TraceHeader } from "./TraceHeader";
import { TraceTools } from "./TraceTools";
import styles from "./TraceView.module.css";

interface Props {
  trace: JaegerTrace;
  state: TraceState;
  onChange: ChangeTrace;
}

export function TraceView({ trace, state, onChange }: Props) {
  const columns = useMemo(() => buildColumns(trace), [trace]);
  const colours = useMemo(() => {
    const assigned = assignColours(columns.services);
    return columns.services.map((service) => assigned.get(service) ?? 0);
  }, [columns]);
  const { from = 0, to = Math.max(1, columns.duration) } = state;
  const window = useMemo(() => ({ from, to }), [from, to]);
  const find = useDeferredValue(state.find);
  const matches = useMemo(() => findSpans(columns, find), [columns, find]);
  const matchSet = useMemo(() => new Set(matches), [matches]);
  const waterfall = useRef<WaterfallHandle>(null);
  const cursor = useTraceCursor(columns, state, onChange, (index) => waterfall.current?.scrollTo(index));
  const shown = state.span ? rowOfSpan(columns, state.span) : -1;
  useDocumentTitle(`${serviceAt(columns, 0)}: ${spanAt(columns, 0)?.operationName ?? trace.traceID} – Spanloom`);

  const showSelected = useEffectEvent(() => cursor.goTo(shown));
  useEffect(() => showSelected(), [columns]);

  return (
    <div className={styles.page}>
      <TraceHeader columns={columns} colours={colours}>
        <TraceTools
          traceId={trace.traceID}
          find={state.find}
          matchCount={matches.length}
          matchIndex={matches.indexOf(cursor.cursor)}
          isZoomed={state.from !== undefined}
          cursor={cursor}
          onChange={onChange}
          onMatch={(step) => cursor.goTo(neighbourMatch(matches, cursor.cursor, step))}
        />
      </TraceHeader>
      <Minimap
        columns={columns}
        colours={colours}
        window={window}
        onWindow={(next) => onChange({ from: next?.from, to: next?.to })}
      />
      <div className={styles.body}>
        <Waterfall
          ref={waterfall}
          columns={columns}
          rows={cursor.rows}
          window={window}
          colours={colours}
          collapsed={cursor.collapsed}
          matches={matchSet}
          cursor={cursor.cursor}
          onSelect={cursor.select}
          onToggle={cursor.toggle}
        />
        {shown >= 0 && (
          <SpanDrawer
            key={state.span}
            columns={columns}
            row={shown}
            colour={colours[columns.service[shown] ?? 0] ?? 0}
            onGoTo={cursor.goTo}
            onClose={() => onChange({ span: "" })}
          />
        )}
      </div>
    </div>
  );
}
