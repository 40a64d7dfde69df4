// SPDX-License-Identifier: Apache-2.0
//
// One trace of the list; a link, so that it opens in a new tab too.

import { IconAlertTriangleFilled, IconUnlink } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { LlmUsage } from "../../api/llm_usage";
import type { ServiceCount, TraceSummary } from "../../api/trace_summary";
import { formatDuration, formatNumber, formatTokens } from "../../base/quantity";
import { formatAbsolute, formatRelative } from "../../base/time";
import { ServiceChip } from "../../widgets/ServiceChip";
import styles from "./TraceList.module.css";

const kChipsShown = 3;

function Root({ trace }: { trace: TraceSummary }) {
  return (
    <div className={styles.root}>
      <span className="ellipsis" title={`${trace.rootService} · ${trace.rootOperation}`}>
        <strong className={styles.service}>{trace.rootService}</strong>{" "}
        <span className="dim">{trace.rootOperation || "(no name)"}</span>
      </span>
      {trace.isRootMissing && (
        <span title="The root span is not stored; this is the earliest span" className={styles.mark}>
          <IconUnlink size={13} stroke={1.8} />
        </span>
      )}
    </div>
  );
}

function Services({ services, colours }: { services: readonly ServiceCount[]; colours: ReadonlyMap<string, number> }) {
  const rest = services.slice(kChipsShown);
  return (
    <div className={styles.services}>
      {services.slice(0, kChipsShown).map(({ name }) => (
        <ServiceChip key={name} name={name} colour={colours.get(name) ?? 0} />
      ))}
      {rest.length > 0 && (
        <span className={styles.more} title={rest.map(({ name }) => name).join("\n")}>
          +{rest.length}
        </span>
      )}
    </div>
  );
}

function tokensText({ inputTokens, outputTokens }: LlmUsage): string {
  if (inputTokens === undefined || outputTokens === undefined) return "";
  return `${formatNumber(inputTokens)} → ${formatTokens(outputTokens)}`;
}

function Errors({ count }: { count: number }) {
  if (count === 0) return <div className="number" />;
  return (
    <div className={`number ${styles.errors ?? ""}`}>
      <IconAlertTriangleFilled size={11} /> {formatNumber(count)}
    </div>
  );
}

interface Props {
  trace: TraceSummary;
  top: number; // pixels
  isChosen: boolean;
  now: number;
  longest: number; // duration of the longest trace of the list
  colours: ReadonlyMap<string, number>;
}

export const TraceRow = memo(function TraceRow({ trace, top, isChosen, now, longest, colours }: Props) {
  return (
    <Link
      to="/trace/$traceId"
      params={{ traceId: trace.traceId }}
      preload={false}
      className={`${styles.grid ?? ""} ${styles.row ?? ""}`}
      style={{ transform: `translateY(${top}px)` }}
      data-chosen={isChosen || undefined}
      data-testid="result-row"
      data-trace-id={trace.traceId}
    >
      <div className="ellipsis dim" title={formatAbsolute(trace.start)}>
        {formatRelative(trace.start, now)}
      </div>
      <Root trace={trace} />
      <Services services={trace.services} colours={colours} />
      <div className="ellipsis dim" title={trace.llm?.model}>
        {trace.llm?.model}
      </div>
      <div className="number">{trace.llm && tokensText(trace.llm)}</div>
      <div className="number">{formatNumber(trace.spanCount)}</div>
      <Errors count={trace.errorCount} />
      <div className={`number ${styles.duration ?? ""}`}>
        <span
          className={styles.durationBar}
          style={{ width: `${longest > 0 ? (100 * trace.duration) / longest : 0}%` }}
        />
        <span className={styles.durationText}>{formatDuration(trace.duration)}</span>
      </div>
    </Link>
  );
});
