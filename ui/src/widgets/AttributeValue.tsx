// SPDX-License-Identifier: Apache-2.0
//
// The value of one attribute. Prompts and completions, and long texts, stay folded until asked for.

import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import type { JaegerTag } from "../api/jaeger_json";
import { isPromptKey, tagNumber } from "../api/span_tags";
import { formatMeasure, measureOf, toMicroseconds } from "../base/attribute_units";
import { formatBytes } from "../base/quantity";
import styles from "./AttributeTable.module.css";

const kTextShown = 300; // characters
const kToleranceMicroseconds = 1000; // the clock of a latency is not the clock of its span

export function isNumeric(tag: JaegerTag): boolean {
  return tagNumber(tag) !== undefined || tag.type === "int64";
}

// Why a latency can't be true, if so. vLLM reports minus its uptime for a request that was never scheduled.
function doubt(tag: JaegerTag, value: number, spanDuration: number | undefined): string | undefined {
  const time = toMicroseconds(measureOf(tag.key, tag.type, value), value);
  if (spanDuration === undefined || time === undefined || !tag.key.startsWith("gen_ai.latency.")) return undefined;
  if (time < 0) return "Negative: the sender can't have measured this";
  return time > spanDuration + kToleranceMicroseconds
    ? "Longer than its span: the sender can't have measured this"
    : undefined;
}

function prettyJson(text: string): string {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

// Shows the first `shown` characters, and all when asked to.
function FoldedText({ text, shown }: { text: string; shown: number }) {
  const [isOpen, setOpen] = useState(false);
  if (isOpen) return <pre className={styles.text}>{prettyJson(text)}</pre>;
  return (
    <>
      {shown > 0 && `${text.slice(0, shown)}… `}
      <Button variant="default" size="compact-xs" onClick={() => setOpen(true)} data-testid="show-text">
        {shown > 0 ? "Show all" : "Show the text"} ({formatBytes(new Blob([text]).size)})
      </Button>
    </>
  );
}

function TextValue({ tag }: { tag: JaegerTag }) {
  const text = String(tag.value);
  if (isPromptKey(tag.key)) return <FoldedText text={text} shown={0} />;
  if (text === "") return <span className={styles.muted}>empty</span>;
  return text.length <= kTextShown ? text : <FoldedText text={text} shown={kTextShown} />;
}

export function AttributeValue({ tag, spanDuration }: { tag: JaegerTag; spanDuration: number | undefined }) {
  const value = tagNumber(tag);
  if (value === undefined) return <TextValue tag={tag} />;
  const problem = doubt(tag, value, spanDuration);
  return (
    <>
      {problem !== undefined && (
        <span className={styles.warning} title={problem} data-testid="doubt">
          <IconAlertTriangle size={13} />
        </span>
      )}
      <span title={`${String(tag.value)} (${tag.type})`}>
        {formatMeasure(measureOf(tag.key, tag.type, value), value)}
      </span>
    </>
  );
}
