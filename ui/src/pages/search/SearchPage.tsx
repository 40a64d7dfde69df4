// SPDX-License-Identifier: Apache-2.0
//
// Finding traces: the form, a chart of durations over time, the list. What is searched for stands in the address; the
// form only edits a draft of it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { searchQuery, servicesQuery } from "../../api/queries";
import { kCustomLookback, readSearch, type SearchState, writeSearch } from "../../api/search_state";
import { summarise, type TraceSummary } from "../../api/trace_summary";
import { useDocumentTitle } from "@mantine/hooks";
import { Failure } from "../../widgets/Failure";
import { Progress, RenewalLine } from "../../widgets/Progress";
import { DurationChart } from "./DurationChart";
import { NoMatch, NoSpansYet } from "./EmptyResults";
import { sortTraces } from "./result_order";
import { SearchForm } from "./SearchForm";
import styles from "./SearchPage.module.css";
import { TraceList } from "./TraceList";

interface FoundProps {
  state: SearchState;
  traces: TraceSummary[];
  onChange: (state: SearchState) => void;
}

function Found({ state, traces, onChange }: FoundProps) {
  const navigate = useNavigate();
  const open = (traceId: string) => void navigate({ to: "/trace/$traceId", params: { traceId } });
  return (
    <>
      <DurationChart
        traces={traces}
        onOpen={open}
        onRange={(start, end) => onChange({ ...state, lookback: kCustomLookback, start, end })}
      />
      <TraceList
        traces={traces}
        limit={state.limit}
        sort={state.sort}
        onSort={(sort) => onChange({ ...state, sort })}
        onOpen={open}
      />
    </>
  );
}

function Results({ state, onChange }: { state: SearchState; onChange: (state: SearchState) => void }) {
  const services = useQuery(servicesQuery);
  const search = useQuery(searchQuery(state));
  const summaries = useMemo(
    () => (search.data ?? []).map(summarise).filter((summary) => summary !== undefined),
    [search.data],
  );
  const traces = useMemo(() => sortTraces(summaries, state.sort), [summaries, state.sort]);

  if (search.error && !search.isFetching)
    return <Failure what="The search failed" error={search.error} onRetry={() => void search.refetch()} />;
  if (!search.data) return <Progress what="Searching" />;
  return (
    <>
      {search.isFetching && <RenewalLine />}
      {traces.length > 0 && <Found state={state} traces={traces} onChange={onChange} />}
      {traces.length === 0 &&
        (services.data?.length === 0 ? (
          <NoSpansYet onRetry={() => void Promise.all([services.refetch(), search.refetch()])} />
        ) : (
          <NoMatch state={state} onChange={onChange} />
        ))}
    </>
  );
}

export function SearchPage() {
  useDocumentTitle("Search – Spanloom");
  const address = useSearch({ from: "/search" });
  const state = useMemo(() => readSearch(address), [address]);
  const navigate = useNavigate();
  const client = useQueryClient();

  const change = (next: SearchState) => void navigate({ to: "/search", search: writeSearch(next) });
  const find = (next: SearchState) => {
    change(next);
    void client.invalidateQueries({ queryKey: searchQuery(next).queryKey });
  };
  return (
    <div className={styles.page}>
      <SearchForm key={JSON.stringify(address)} state={state} onFind={find} />
      <section className={styles.results} aria-label="Results">
        <Results state={state} onChange={change} />
      </section>
    </div>
  );
}
