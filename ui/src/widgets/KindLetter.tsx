// SPDX-License-Identifier: Apache-2.0
//
// The kind of a span as one letter, spelled out on hover.

import type { SpanKind } from "../api/span_tags";
import styles from "./KindLetter.module.css";

const kLetters: Record<SpanKind, string> = {
  server: "S",
  client: "C",
  producer: "P",
  consumer: "Q",
  internal: "I",
  unspecified: "",
};
const kNames: Record<SpanKind, string> = {
  server: "Server: answers a request",
  client: "Client: makes a request",
  producer: "Producer: puts a message into a queue",
  consumer: "Consumer: takes a message from a queue",
  internal: "Internal",
  unspecified: "No kind given",
};

export function KindLetter({ kind }: { kind: SpanKind }) {
  return (
    <span className={styles.letter} data-kind={kind} title={kNames[kind]}>
      {kLetters[kind]}
    </span>
  );
}
