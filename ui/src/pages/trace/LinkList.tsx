// SPDX-License-Identifier: Apache-2.0
//
// The links of a span to others. Jaeger's JSON calls them FOLLOWS_FROM; a parent in another trace is one as well.

import { Link } from "@tanstack/react-router";
import type { JaegerReference, JaegerSpan } from "../../api/jaeger_json";
import { kWholeTrace, writeTraceState } from "../../api/trace_state";
import styles from "./SpanDrawer.module.css";

export function linksOf(span: JaegerSpan): JaegerReference[] {
  return (span.references ?? []).filter((ref) => ref.refType === "FOLLOWS_FROM" || ref.traceID !== span.traceID);
}

export function LinkList({ links }: { links: readonly JaegerReference[] }) {
  return (
    <ul className={styles.list}>
      {links.map(({ traceID, spanID, refType }, i) => (
        <li key={`${traceID} ${spanID} ${i}`}>
          <Link
            to="/trace/$traceId"
            params={{ traceId: traceID }}
            search={writeTraceState({ ...kWholeTrace, span: spanID })}
            preload={false}
            className={`mono ${styles.link ?? ""}`}
            data-testid="span-link"
          >
            {traceID} · {spanID}
          </Link>
          {refType === "CHILD_OF" && <span className="dim"> parent</span>}
        </li>
      ))}
    </ul>
  );
}
