// SPDX-License-Identifier: Apache-2.0
//
// How the server is doing: what the doctor finds in it, what became of the spans it was given, who sends
// them, what it stores.

import { Button } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { IconRefresh } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { findingsQuery, statusQuery } from "../../api/queries";
import { useNow } from "../../base/now";
import { formatAbsolute, formatRelative } from "../../base/time";
import { Failure } from "../../widgets/Failure";
import { Progress, RenewalLine } from "../../widgets/Progress";
import { FindingList } from "./FindingList";
import styles from "./PipelinePage.module.css";
import { SenderList } from "./SenderList";
import { SpanCounts } from "./SpanCounts";
import { StoreFacts } from "./StoreFacts";

function Findings() {
  const findings = useQuery(findingsQuery);
  if (findings.error && !findings.isFetching)
    return (
      <Failure
        what="The doctor's findings can't be had"
        error={findings.error}
        onRetry={() => void findings.refetch()}
      />
    );
  if (!findings.data) return <Progress what="Looking at configuration, metrics and traces" />;
  return <FindingList report={findings.data} />;
}

function Status() {
  const status = useQuery(statusQuery);
  if (status.error && !status.isFetching)
    return <Failure what="The counters can't be had" error={status.error} onRetry={() => void status.refetch()} />;
  if (!status.data) return <Progress what="Counting" />;
  return (
    <>
      <SpanCounts counts={status.data.counts} queues={status.data.queues} />
      <SenderList senders={status.data.senders} forgotten={status.data.senders_forgotten} />
      <StoreFacts store={status.data.store} />
    </>
  );
}

function Bar() {
  const status = useQuery(statusQuery);
  const findings = useQuery(findingsQuery);
  const now = useNow();
  const isFetching = status.isFetching || findings.isFetching;
  return (
    <div className={styles.bar}>
      {isFetching && <RenewalLine />}
      <h1 className={styles.title}>Pipeline</h1>
      {status.data && (
        <span className="dim" title={formatAbsolute(status.data.started_us)}>
          Spanloom {status.data.version}, started {formatRelative(status.data.started_us, now)}
        </span>
      )}
      <span className={styles.spacer} />
      <Button
        variant="default"
        leftSection={<IconRefresh size={14} />}
        disabled={isFetching}
        onClick={() => void Promise.all([status.refetch(), findings.refetch()])}
        data-testid="refresh"
      >
        Refresh
      </Button>
    </div>
  );
}

export function PipelinePage() {
  useDocumentTitle("Pipeline – Spanloom");
  return (
    <div className={styles.page}>
      <Bar />
      <div className={styles.content}>
        <Findings />
        <Status />
      </div>
    </div>
  );
}
