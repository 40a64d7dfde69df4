// SPDX-License-Identifier: Apache-2.0
//
// Who a span is: its ids, its parent's, and the instrumentation that made it.

import type { ReactNode } from "react";
import type { JaegerSpan } from "../../api/jaeger_json";
import { tagText } from "../../api/span_tags";
import { rowOfSpan, type TraceColumns } from "../../api/trace_columns";
import { parentReference } from "../../api/trace_summary";
import { CopyButton } from "../../widgets/CopyButton";
import styles from "./SpanDrawer.module.css";

function Entry({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Parent({ columns, spanId, onGoTo }: { columns: TraceColumns; spanId: string; onGoTo: (row: number) => void }) {
  const row = rowOfSpan(columns, spanId);
  if (row < 0) return <span className="mono">{spanId} (not in this trace)</span>;
  return (
    <button type="button" className={`mono ${styles.parent ?? ""}`} onClick={() => onGoTo(row)}>
      {spanId}
    </button>
  );
}

export function SpanIds({
  columns,
  span,
  onGoTo,
}: {
  columns: TraceColumns;
  span: JaegerSpan;
  onGoTo: (row: number) => void;
}) {
  const parent = parentReference(span);
  const scope = tagText(span.tags, "otel.scope.name");
  const version = tagText(span.tags, "otel.scope.version");
  return (
    <dl className={styles.ids}>
      <Entry name="Span id">
        <span className="mono">{span.spanID}</span>
        <CopyButton text={() => span.spanID} label="Copy the span id" />
      </Entry>
      <Entry name="Parent">
        {parent === undefined ? "none: a root" : <Parent columns={columns} spanId={parent} onGoTo={onGoTo} />}
      </Entry>
      {scope !== undefined && (
        <Entry name="Scope">
          {scope} {version}
        </Entry>
      )}
    </dl>
  );
}
