// SPDX-License-Identifier: Apache-2.0
//
// What a trace is, in two lines: its root and id, then its facts and its services.

import type { ReactNode } from "react";
import { kFlagOrphan, serviceAt, spanAt, type TraceColumns } from "../../api/trace_columns";
import { useNow } from "../../base/now";
import { formatDuration, formatNumber } from "../../base/quantity";
import { formatAbsolute, formatRelative } from "../../base/time";
import { CopyButton } from "../../widgets/CopyButton";
import { ServiceChip } from "../../widgets/ServiceChip";
import styles from "./TraceView.module.css";

const kServicesShown = 8;

function Fact({
  name,
  tone,
  title,
  children,
}: {
  name: string;
  tone?: "error" | "warning" | undefined;
  title?: string;
  children: ReactNode;
}) {
  return (
    <div className={styles.fact} data-tone={tone} title={title}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ columns }: { columns: TraceColumns }) {
  const now = useNow();
  const { errorCount, orphanCount } = columns;
  return (
    <dl className={styles.facts}>
      <Fact name="Start" title={formatRelative(columns.start, now)}>
        {formatAbsolute(columns.start)}
      </Fact>
      <Fact name="Duration">{formatDuration(columns.duration)}</Fact>
      <Fact name="Spans">{formatNumber(columns.rowCount)}</Fact>
      <Fact name="Services">{formatNumber(columns.services.length)}</Fact>
      <Fact name="Depth">{formatNumber(columns.depthMax)}</Fact>
      <Fact name="Errors" tone={errorCount > 0 ? "error" : undefined}>
        {formatNumber(errorCount)}
      </Fact>
      {orphanCount > 0 && (
        <Fact
          name="Orphans"
          tone="warning"
          title="Spans whose parent is not stored: it was not recorded, was dropped, or has not arrived yet"
        >
          {formatNumber(orphanCount)}
        </Fact>
      )}
    </dl>
  );
}

function Legend({ columns, colours }: { columns: TraceColumns; colours: readonly number[] }) {
  const rest = columns.services.slice(kServicesShown);
  return (
    <div className={styles.legend} aria-label="Services">
      {columns.services.slice(0, kServicesShown).map((name, i) => (
        <ServiceChip key={name} name={name} colour={colours[i] ?? 0} />
      ))}
      {rest.length > 0 && (
        <span className="dim" title={rest.join("\n")}>
          +{rest.length}
        </span>
      )}
    </div>
  );
}

function Title({ columns }: { columns: TraceColumns }) {
  const isStandIn = ((columns.flags[0] ?? 0) & kFlagOrphan) !== 0;
  return (
    <h1
      className={`ellipsis ${styles.title ?? ""}`}
      title={isStandIn ? "The root span is not stored; this is the first span" : undefined}
    >
      <strong>{serviceAt(columns, 0)}</strong> {spanAt(columns, 0)?.operationName}
    </h1>
  );
}

interface Props {
  columns: TraceColumns;
  colours: readonly number[]; // of columns.services
  children: ReactNode; // tools, at the right of the title
}

export function TraceHeader({ columns, colours, children }: Props) {
  const { traceID } = columns.trace;
  return (
    <header className={styles.header}>
      <div className={styles.line}>
        <Title columns={columns} />
        <span className={styles.id}>
          <span className="mono" data-testid="trace-id">
            {traceID}
          </span>
          <CopyButton text={() => traceID} label="Copy the trace id" />
        </span>
        <span className={styles.spacer} />
        {children}
      </div>
      <div className={styles.line}>
        <Facts columns={columns} />
        <Legend columns={columns} colours={colours} />
      </div>
    </header>
  );
}
