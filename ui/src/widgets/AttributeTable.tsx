// SPDX-License-Identifier: Apache-2.0
//
// Attributes as key and value. Numbers carry the unit that their name tells; the value as sent is shown on hover.

import { ActionIcon, Tooltip } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { JaegerTag } from "../api/jaeger_json";
import { isPromptKey } from "../api/span_tags";
import { kDefaultSearch, writeSearch } from "../api/search_state";
import { formatTag } from "../base/tag_text";
import styles from "./AttributeTable.module.css";
import { AttributeValue, isNumeric } from "./AttributeValue";
import { CopyButton } from "./CopyButton";

const kBesideMost = 100; // characters of a value that stand beside its key
const kSearchedMost = 200; // characters of a value that make sense in a search

interface Props {
  tags: readonly JaegerTag[];
  spanDuration?: number; // microseconds; latencies of the span beyond it are marked
  isSearchable?: boolean; // each row offers a search for traces with this attribute
}

// Long keys break after a dot or an underscore.
function breakable(key: string): ReactNode[] {
  return key.split(/(?<=[._])/).flatMap((part, i) => (i === 0 ? [part] : [<wbr key={i} />, part]));
}

// Long texts stand below their key.
function isWide(tag: JaegerTag): boolean {
  return isPromptKey(tag.key) || String(tag.value).length > kBesideMost;
}

function byKey(a: JaegerTag, b: JaegerTag): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function SearchLink({ tag }: { tag: JaegerTag }) {
  const search = writeSearch({ ...kDefaultSearch, lookback: "2d", tags: formatTag(tag.key, String(tag.value)) });
  return (
    <Tooltip label="Traces with this attribute">
      <ActionIcon
        size={20}
        aria-label={`Traces with this ${tag.key}`}
        renderRoot={(props) => <Link to="/search" search={search} preload={false} {...props} />}
      >
        <IconSearch size={13} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  );
}

function Row({ tag, spanDuration, isSearchable }: { tag: JaegerTag } & Omit<Props, "tags">) {
  const canSearch = isSearchable && String(tag.value).length <= kSearchedMost;
  return (
    <tr className={styles.row} data-wide={isWide(tag) || undefined} data-testid="attribute-row" data-key={tag.key}>
      <th scope="row" className={styles.key}>
        {breakable(tag.key)}
      </th>
      <td className={isNumeric(tag) ? `number ${styles.value ?? ""}` : styles.value}>
        <AttributeValue tag={tag} spanDuration={spanDuration} />
        <span className={styles.actions}>
          {canSearch && <SearchLink tag={tag} />}
          <CopyButton text={() => String(tag.value)} label="Copy the value" />
        </span>
      </td>
    </tr>
  );
}

export function AttributeTable({ tags, ...rest }: Props) {
  return (
    <table className={styles.table}>
      <tbody>
        {tags.toSorted(byKey).map((tag, i) => (
          <Row key={`${tag.key} ${i}`} tag={tag} {...rest} />
        ))}
      </tbody>
    </table>
  );
}
