// SPDX-License-Identifier: Apache-2.0

import type { ReactNode } from "react";
import type { StoreState } from "../../api/insight";
import { useNow } from "../../base/now";
import { formatBytes, formatDuration, formatNumber } from "../../base/quantity";
import { formatAbsolute, formatRelative } from "../../base/time";
import styles from "./Facts.module.css";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function When({ at }: { at: number }) {
  return <span title={formatAbsolute(at)}>{formatRelative(at, useNow())}</span>;
}

function retention({ age_max_s, bytes_max }: StoreState): string {
  const parts = [];
  if (age_max_s !== undefined) parts.push(`what is older than ${formatDuration(age_max_s * 1e6)} goes`);
  if (bytes_max !== undefined) parts.push(`the oldest goes beyond ${formatBytes(bytes_max)}`);
  return parts.join("; ") || "nothing goes by itself";
}

export function StoreFacts({ store }: { store: StoreState }) {
  const gone: [name: string, spans: number][] = [
    ["Removed for room", store.spans_evicted],
    ["Removed by retention", store.spans_expired],
    ["Removed on request", store.spans_purged],
    ["Delivered twice, stored once", store.spans_duplicate],
  ];
  return (
    <section className={styles.section}>
      <h2 className={styles.title}>Store</h2>
      <dl className={styles.facts} data-testid="store">
        <Fact name="Kept">{store.kept}</Fact>
        <Fact name="Retention">{retention(store)}</Fact>
        <Fact name="Traces">{formatNumber(store.traces)}</Fact>
        <Fact name="Spans">{formatNumber(store.spans)}</Fact>
        <Fact name="Size">{formatBytes(store.bytes)}</Fact>
        {store.segments !== undefined && <Fact name="Segments">{formatNumber(store.segments)}</Fact>}
        {store.oldest_us !== undefined && (
          <Fact name="Oldest span">
            <When at={store.oldest_us} />
          </Fact>
        )}
        {store.newest_us !== undefined && (
          <Fact name="Newest span">
            <When at={store.newest_us} />
          </Fact>
        )}
        {gone
          .filter(([, spans]) => spans > 0)
          .map(([name, spans]) => (
            <Fact key={name} name={name}>
              {formatNumber(spans)} spans
            </Fact>
          ))}
      </dl>
    </section>
  );
}
