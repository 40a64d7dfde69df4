// SPDX-License-Identifier: Apache-2.0
//
// What the doctor found, the gravest first, each with what to write instead.

import { Code, EmptyState } from "@mantine/core";
import { IconAlertTriangle, IconCircleX, IconHeartbeat, IconInfoCircle } from "@tabler/icons-react";
import type { Finding, FindingsReport, Severity } from "../../api/insight";
import { useNow } from "../../base/now";
import { formatCount } from "../../base/quantity";
import { formatAbsolute, formatRelative } from "../../base/time";
import { CopyButton } from "../../widgets/CopyButton";
import styles from "./FindingList.module.css";

const kIcons: Record<Severity, typeof IconCircleX> = {
  error: IconCircleX,
  warning: IconAlertTriangle,
  note: IconInfoCircle,
};

function place({ file, line }: Finding): string {
  return line === undefined ? file : `${file}:${line}`;
}

function Fix({ text }: { text: string }) {
  return (
    <div className={styles.fix}>
      <div className={styles.fixHead}>
        <span>Fix</span>
        <CopyButton text={() => text} label="Copy the fix" />
      </div>
      <Code block className={styles.code} tabIndex={0} data-testid="fix">
        {text}
      </Code>
    </div>
  );
}

function FindingItem({ finding }: { finding: Finding }) {
  const Icon = kIcons[finding.severity];
  return (
    <li className={styles.finding} data-severity={finding.severity} data-testid="finding">
      <div className={styles.head}>
        <span className={styles.severity}>
          <Icon size={15} stroke={1.8} aria-hidden />
          {finding.severity}
        </span>
        <span className={`mono ${styles.place ?? ""}`}>{place(finding)}</span>
        <span className={`mono ${styles.rule ?? ""}`}>{finding.rule}</span>
      </div>
      <p className={styles.what}>{finding.what}</p>
      {finding.fix !== undefined && <Fix text={finding.fix} />}
    </li>
  );
}

function counted({ errors, warnings, notes }: FindingsReport): string {
  const parts: [count: number, noun: string][] = [
    [errors, "error"],
    [warnings, "warning"],
    [notes, "note"],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, noun]) => formatCount(count, noun))
    .join(", ");
}

function LeftOut({ sentences }: { sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <div className={styles.leftOut} data-testid="left-out">
      Not looked at:
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </div>
  );
}

export function FindingList({ report }: { report: FindingsReport }) {
  const now = useNow();
  const looked = `looked at ${formatRelative(report.looked_us, now)}`;
  return (
    <section className={styles.section} aria-labelledby="findings-title">
      <h2 id="findings-title" className={styles.title}>
        Findings
        <span className="dim" title={formatAbsolute(report.looked_us)} data-testid="looked">
          {report.findings.length > 0 && `${counted(report)}; `}
          {looked}
        </span>
      </h2>
      {report.findings.length === 0 && (
        <EmptyState
          className={styles.empty}
          icon={<IconHeartbeat size={28} stroke={1.3} />}
          title="Nothing found"
          description="The configuration, the counters and the newest traces of the last hour were looked at."
          data-testid="nothing-found"
        />
      )}
      <ul className={styles.list}>
        {report.findings.map((finding) => (
          <FindingItem key={JSON.stringify(finding)} finding={finding} />
        ))}
      </ul>
      <LeftOut sentences={report.left_out} />
    </section>
  );
}
