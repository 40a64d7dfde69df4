// SPDX-License-Identifier: Apache-2.0
//
// Who sends spans: a row for each program at an address, whoever sent last first.

import { IconAlertTriangleFilled } from "@tabler/icons-react";
import type { ForgottenSenders, Sender } from "../../api/insight";
import { useNow } from "../../base/now";
import { formatNumber } from "../../base/quantity";
import { formatAbsolute, formatRelative } from "../../base/time";
import styles from "./Facts.module.css";

function When({ at }: { at: number }) {
  return <span title={formatAbsolute(at)}>{formatRelative(at, useNow())}</span>;
}

function Refused({ spans }: { spans: number }) {
  return (
    <>
      {spans > 0 && <IconAlertTriangleFilled size={11} aria-label="Trouble" />} {formatNumber(spans)}
    </>
  );
}

function SenderRow({ sender }: { sender: Sender }) {
  return (
    <tr data-trouble={sender.spans_refused > 0 || undefined} data-testid="sender">
      <td className="mono">{sender.address || "unix socket"}</td>
      <td title={sender.program}>{sender.program || "unnamed"}</td>
      <td>{sender.services.join(", ")}</td>
      <td className="dim">
        {sender.receiver}/{sender.transport}
      </td>
      <td className="number">{formatNumber(sender.connections)}</td>
      <td className="number">{formatNumber(sender.spans_accepted)}</td>
      <td className="number">
        <Refused spans={sender.spans_refused} />
      </td>
      <td className="number">
        <When at={sender.first_us} />
      </td>
      <td className="number">
        <When at={sender.last_us} />
      </td>
    </tr>
  );
}

function ForgottenRow({ forgotten }: { forgotten: ForgottenSenders }) {
  return (
    <tr data-testid="senders-forgotten">
      <td colSpan={5} className="dim">
        Senders that made room for others ({formatNumber(forgotten.senders)} times)
      </td>
      <td className="number">{formatNumber(forgotten.spans_accepted)}</td>
      <td className="number">
        <Refused spans={forgotten.spans_refused} />
      </td>
      <td colSpan={2} />
    </tr>
  );
}

const kNumbers: [name: string, title: string][] = [
  ["Connections", "That requests came by in the last minute"],
  ["Accepted", "Spans that were answered OK for"],
  ["Refused", "Spans that were refused; offered again, they count again"],
  ["First", "When its first request came, since it is remembered"],
  ["Last", "When its last request came"],
];

interface Props {
  senders: readonly Sender[];
  forgotten: ForgottenSenders | undefined;
}

export function SenderList({ senders, forgotten }: Props) {
  return (
    <section className={styles.section}>
      <h2 className={styles.title}>Senders</h2>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">Program</th>
            <th scope="col">Services</th>
            <th scope="col">Receiver</th>
            {kNumbers.map(([name, title]) => (
              <th key={name} scope="col" className="number" title={title}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {senders.map((sender) => (
            <SenderRow
              key={[sender.receiver, sender.transport, sender.address, sender.program].join("\n")}
              sender={sender}
            />
          ))}
          {senders.length === 0 && (
            <tr>
              <td colSpan={9} className="dim">
                Nobody has sent a span yet: OTLP goes to port 4317 (gRPC) or 4318 (HTTP)
              </td>
            </tr>
          )}
          {forgotten && <ForgottenRow forgotten={forgotten} />}
        </tbody>
      </table>
    </section>
  );
}
