// SPDX-License-Identifier: Apache-2.0
//
// The details of one span, beside the waterfall, so that j and k can walk the spans while it is open.

import { Accordion, CloseButton, TextInput } from "@mantine/core";
import { IconAlertTriangleFilled, IconFilter } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { JaegerSpan, JaegerTag } from "../../api/jaeger_json";
import { attributesOf, hasFailed, isLlmKey, statusOf, tagText } from "../../api/span_tags";
import { kindAt, serviceAt, spanAt, type TraceColumns } from "../../api/trace_columns";
import { formatDuration, formatOffset } from "../../base/quantity";
import { formatAbsolute } from "../../base/time";
import { AttributeTable } from "../../widgets/AttributeTable";
import { CopyButton } from "../../widgets/CopyButton";
import { ServiceChip } from "../../widgets/ServiceChip";
import styles from "./SpanDrawer.module.css";
import { EventList } from "./EventList";
import { LinkList, linksOf } from "./LinkList";
import { SpanIds } from "./SpanIds";

interface Props {
  columns: TraceColumns;
  row: number;
  colour: number;
  onGoTo: (row: number) => void;
  onClose: () => void;
}

const kStatusNames = { OK: "Ok", ERROR: "Error", UNSET: "Unset" };

function Status({ span }: { span: JaegerSpan }) {
  const failed = hasFailed(span);
  const description = tagText(span.tags, "otel.status_description");
  return (
    <span className={failed ? styles.failed : undefined}>
      {failed && <IconAlertTriangleFilled size={12} />} {failed ? "Error" : kStatusNames[statusOf(span)]}
      {description !== undefined && `: ${description}`}
    </span>
  );
}

function Summary({ columns, row, colour, span }: Pick<Props, "columns" | "row" | "colour"> & { span: JaegerSpan }) {
  return (
    <dl className={styles.summary}>
      <dt>Service</dt>
      <dd>
        <ServiceChip name={serviceAt(columns, row)} colour={colour} />
      </dd>
      <dt>Duration</dt>
      <dd className={styles.strong}>{formatDuration(span.duration)}</dd>
      <dt>Kind</dt>
      <dd>{kindAt(columns, row)}</dd>
      <dt>Starts at</dt>
      <dd title={formatAbsolute(span.startTime)}>{formatOffset(columns.offset[row] ?? 0)}</dd>
      <dt>Status</dt>
      <dd className={styles.wide}>
        <Status span={span} />
      </dd>
      <dt>Start</dt>
      <dd className={styles.wide}>{formatAbsolute(span.startTime)}</dd>
      {span.warnings?.map((warning) => (
        <dd key={warning} className={styles.warning}>
          {warning}
        </dd>
      ))}
    </dl>
  );
}

function matching(tags: readonly JaegerTag[], filter: string): JaegerTag[] {
  const needle = filter.trim().toLowerCase();
  return tags.filter((tag) => `${tag.key}=${String(tag.value)}`.toLowerCase().includes(needle));
}

function Section({ name, count, children }: { name: string; count?: number; children: ReactNode }) {
  return (
    <Accordion.Item value={name}>
      <Accordion.Control>
        {name} {count !== undefined && <span className={styles.count}>{count}</span>}
      </Accordion.Control>
      <Accordion.Panel>{children}</Accordion.Panel>
    </Accordion.Item>
  );
}

function AttributeSection({
  name,
  tags,
  filter,
  spanDuration,
}: {
  name: string;
  tags: readonly JaegerTag[];
  filter: string;
  spanDuration?: number;
}) {
  const shown = matching(tags, filter);
  if (shown.length === 0) return null;
  return (
    <Section name={name} count={shown.length}>
      <AttributeTable tags={shown} isSearchable {...(spanDuration !== undefined && { spanDuration })} />
    </Section>
  );
}

function Details({
  columns,
  span,
  filter,
  onGoTo,
}: { span: JaegerSpan; filter: string } & Pick<Props, "columns" | "onGoTo">) {
  const attributes = attributesOf(span);
  const process = columns.trace.processes[span.processID];
  const links = linksOf(span);
  const events = span.logs ?? [];
  return (
    <Accordion
      multiple
      defaultValue={["LLM", "Attributes", "Events", "Links", "Process", "Identity"]}
      chevronPosition="left"
      chevronSize={14}
      classNames={{
        control: styles.control ?? "",
        label: styles.controlLabel ?? "",
        chevron: styles.chevron ?? "",
        content: styles.content ?? "",
        item: styles.section ?? "",
      }}
    >
      <AttributeSection
        name="LLM"
        tags={attributes.filter((tag) => isLlmKey(tag.key))}
        filter={filter}
        spanDuration={span.duration}
      />
      <AttributeSection name="Attributes" tags={attributes.filter((tag) => !isLlmKey(tag.key))} filter={filter} />
      {events.length > 0 && (
        <Section name="Events" count={events.length}>
          <EventList events={events} spanStart={span.startTime} filter={filter} />
        </Section>
      )}
      {links.length > 0 && (
        <Section name="Links" count={links.length}>
          <LinkList links={links} />
        </Section>
      )}
      <AttributeSection name="Process" tags={process?.tags ?? []} filter={filter} />
      <Section name="Identity">
        <SpanIds columns={columns} span={span} onGoTo={onGoTo} />
      </Section>
    </Accordion>
  );
}

export function SpanDrawer({ columns, row, colour, onGoTo, onClose }: Props) {
  const [filter, setFilter] = useState("");
  const span = spanAt(columns, row);
  if (!span) return null;
  const json = () => JSON.stringify({ ...span, process: columns.trace.processes[span.processID] }, undefined, 2);
  return (
    <aside className={styles.drawer} aria-label="Span" data-testid="drawer">
      <header className={styles.header}>
        <h2 className={styles.title}>{span.operationName || "(no name)"}</h2>
        <CopyButton text={json} label="Copy the span as JSON" />
        <CloseButton size="sm" aria-label="Close the details" onClick={onClose} />
      </header>
      <Summary columns={columns} row={row} colour={colour} span={span} />
      <TextInput
        className={styles.filter}
        value={filter}
        onChange={(event) => setFilter(event.currentTarget.value)}
        placeholder="Filter attributes"
        aria-label="Filter attributes"
        leftSection={<IconFilter size={13} />}
        data-testid="attribute-filter"
      />
      <Details columns={columns} span={span} filter={filter} onGoTo={onGoTo} />
    </aside>
  );
}
