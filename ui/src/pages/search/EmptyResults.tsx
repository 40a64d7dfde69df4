// SPDX-License-Identifier: Apache-2.0
//
// A search without results: either the store has no span yet, and the page says how to send one, or nothing matches,
// and it says what to loosen.

import { Button, Code, EmptyState } from "@mantine/core";
import { IconArrowsMaximize, IconTimeline } from "@tabler/icons-react";
import { kDefaultSearch, type SearchState } from "../../api/search_state";
import { CopyButton } from "../../widgets/CopyButton";
import styles from "./EmptyResults.module.css";

const kWays: readonly { what: string; command: string }[] = [
  { what: "OTLP over gRPC, the default of most SDKs", command: "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317" },
  { what: "OTLP over HTTP", command: "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318" },
  { what: "No sender at hand: twenty traces as llm-d makes them", command: "spanloom tracegen --traces 20" },
];

export function NoSpansYet({ onRetry }: { onRetry: () => void }) {
  return (
    <div className={styles.empty} data-testid="no-spans-yet">
      <EmptyState
        icon={<IconTimeline size={30} stroke={1.3} />}
        title="No span has arrived yet"
        description="The store is empty. Send a span in one of these ways, then look again."
      />
      <dl className={styles.ways}>
        {kWays.map(({ what, command }) => (
          <div key={command} className={styles.way}>
            <dt>{what}</dt>
            <dd>
              <Code className={styles.command}>{command}</Code>
              <CopyButton text={() => command} label="Copy" />
            </dd>
          </div>
        ))}
      </dl>
      <Button variant="default" onClick={onRetry}>
        Look again
      </Button>
    </div>
  );
}

const kLongestLookback = "2d"; // of those on offer

function isFiltered(state: SearchState): boolean {
  return [state.service, state.operation, state.tags, state.minDuration, state.maxDuration].some((text) => text !== "");
}

export function NoMatch({ state, onChange }: { state: SearchState; onChange: (state: SearchState) => void }) {
  const { lookback, start, end, limit, sort } = state;
  return (
    <div className={styles.empty} data-testid="no-match">
      <EmptyState
        icon={<IconArrowsMaximize size={28} stroke={1.3} />}
        title="No trace matches"
        description="Nothing stored in this time fits the search."
      >
        <EmptyState.Actions>
          {isFiltered(state) && (
            <Button
              variant="default"
              onClick={() => onChange({ ...kDefaultSearch, lookback, start, end, limit, sort })}
            >
              Without filters
            </Button>
          )}
          {lookback !== kLongestLookback && (
            <Button
              variant="default"
              onClick={() => onChange({ ...state, lookback: kLongestLookback, start: undefined, end: undefined })}
            >
              Last 2 days
            </Button>
          )}
        </EmptyState.Actions>
      </EmptyState>
    </div>
  );
}
