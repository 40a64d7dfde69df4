// SPDX-License-Identifier: Apache-2.0
//
// What became of the spans, a row for each component, event and cause; and the sending queues.

import { IconAlertTriangleFilled } from "@tabler/icons-react";
import type { QueueState, SpanCount } from "../../api/insight";
import { eventText, isTrouble, shownCounts } from "../../api/span_events";
import { formatNumber } from "../../base/quantity";
import styles from "./Facts.module.css";

function CountRow({ count }: { count: SpanCount }) {
  const isBad = isTrouble(count);
  return (
    <tr data-trouble={isBad || undefined} data-testid="span-count">
      <td className="dim">{count.part}</td>
      <td className="mono">{count.id}</td>
      <td>
        {isBad && <IconAlertTriangleFilled size={11} aria-label="Trouble" />} {eventText(count)}
      </td>
      <td className="number">{formatNumber(count.spans)}</td>
    </tr>
  );
}

function QueueRow({ queue }: { queue: QueueState }) {
  return (
    <tr data-testid="queue">
      <td className="dim">exporter</td>
      <td className="mono">{queue.exporter}</td>
      <td>in the sending queue, of {formatNumber(queue.capacity)}</td>
      <td className="number">{formatNumber(queue.size)}</td>
    </tr>
  );
}

interface Props {
  counts: readonly SpanCount[];
  queues: readonly QueueState[];
}

export function SpanCounts({ counts, queues }: Props) {
  const shown = shownCounts(counts);
  return (
    <section className={styles.section}>
      <h2 className={styles.title}>Spans since the start</h2>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Part</th>
            <th scope="col">Component</th>
            <th scope="col">What became of them</th>
            <th scope="col" className="number">
              Spans
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((count) => (
            <CountRow key={[count.part, count.id, count.event, count.cause].join("\n")} count={count} />
          ))}
          {shown.length === 0 && (
            <tr>
              <td colSpan={4} className="dim">
                No span has come yet
              </td>
            </tr>
          )}
        </tbody>
        {queues.length > 0 && (
          <tbody>
            {queues.map((queue) => (
              <QueueRow key={queue.exporter} queue={queue} />
            ))}
          </tbody>
        )}
      </table>
    </section>
  );
}
