// SPDX-License-Identifier: Apache-2.0
//
// The events of a span, each with its time after the span's start.

import type { JaegerLog } from "../../api/jaeger_json";
import { tagText } from "../../api/span_tags";
import { formatOffset } from "../../base/quantity";
import { formatAbsolute } from "../../base/time";
import { AttributeTable } from "../../widgets/AttributeTable";
import styles from "./SpanDrawer.module.css";

const kNameKey = "event"; // where Jaeger's JSON keeps the name of an event

interface Props {
  events: readonly JaegerLog[];
  spanStart: number; // microseconds since the epoch
  filter: string; // only events whose name or fields hold this
}

function holds(event: JaegerLog, needle: string): boolean {
  return event.fields.some((field) => `${field.key}=${String(field.value)}`.toLowerCase().includes(needle));
}

function Event({ event, spanStart }: { event: JaegerLog; spanStart: number }) {
  const fields = event.fields.filter((field) => field.key !== kNameKey);
  return (
    <div className={styles.event} data-testid="event">
      <div className={styles.eventHead}>
        <span className={styles.eventName}>{tagText(event.fields, kNameKey) ?? "(no name)"}</span>
        <span className="number dim" title={formatAbsolute(event.timestamp)}>
          {formatOffset(event.timestamp - spanStart)}
        </span>
      </div>
      {fields.length > 0 && <AttributeTable tags={fields} />}
    </div>
  );
}

export function EventList({ events, spanStart, filter }: Props) {
  const needle = filter.trim().toLowerCase();
  return events
    .filter((event) => needle === "" || holds(event, needle))
    .map((event, i) => <Event key={`${event.timestamp} ${i}`} event={event} spanStart={spanStart} />);
}
