// SPDX-License-Identifier: Apache-2.0
//
// What the page asks the server for, with the keys under which the answers are kept. A query whose page has gone, or
// whose question has changed, is cancelled.

import { keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, getData } from "./http";
import type { FindingsReport, StatusReport } from "./insight";
import type { JaegerTrace } from "./jaeger_json";
import { kDefaultSearch, type SearchState, toQuery } from "./search_state";

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => getData<string[]>("/api/services", signal).then((services) => services ?? []),
});

export function operationsQuery(service: string) {
  return queryOptions({
    queryKey: ["operations", service],
    queryFn: ({ signal }) =>
      getData<string[]>(`/api/services/${encodeURIComponent(service)}/operations`, signal).then(
        (operations) => operations ?? [],
      ),
    enabled: service !== "",
  });
}

// The order of the rows is the page's matter and not part of the question.
function question(state: SearchState): SearchState {
  return { ...state, sort: kDefaultSearch.sort };
}

export function searchQuery(state: SearchState) {
  return queryOptions<JaegerTrace[]>({
    queryKey: ["traces", question(state)],
    queryFn: ({ signal }) =>
      getData<JaegerTrace[]>(`/api/traces?${toQuery(state, Date.now() * 1000).toString()}`, signal).then(
        (traces) => traces ?? [],
      ),
    placeholderData: keepPreviousData,
    structuralSharing: false, // comparing thousands of spans costs more than drawing them again
  });
}

export function tracePath(traceId: string): string {
  return `/api/traces/${encodeURIComponent(traceId)}`;
}

async function getTrace(traceId: string, signal: AbortSignal): Promise<JaegerTrace> {
  const path = tracePath(traceId);
  const trace = (await getData<JaegerTrace[]>(path, signal))?.[0];
  if (!trace) throw new ApiError(path, 404, "trace not found");
  return trace;
}

// A trace that a search has brought is shown at once, and fetched again: spans may have come since.
export function traceQuery(traceId: string, client: QueryClient) {
  return queryOptions<JaegerTrace>({
    queryKey: ["trace", traceId],
    queryFn: ({ signal }) => getTrace(traceId, signal),
    structuralSharing: false,
    placeholderData: () =>
      client
        .getQueriesData<JaegerTrace[]>({ queryKey: ["traces"] })
        .flatMap(([, traces]) => traces ?? [])
        .find((trace) => trace.traceID === traceId),
  });
}

async function getReport<T>(path: string, signal: AbortSignal): Promise<T> {
  const report = await getData<T>(path, signal);
  if (report === null) throw new ApiError(path, undefined, "the answer is empty");
  return report;
}

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => getReport<StatusReport>("/api/insight/status", signal),
});

const kBusyRetries = 10;

// While the first examination is under way for somebody else, the server says to come again.
export const findingsQuery = queryOptions({
  queryKey: ["findings"],
  queryFn: ({ signal }) => getReport<FindingsReport>("/api/insight/findings", signal),
  retry: (failures, error) => error instanceof ApiError && error.status === 503 && failures < kBusyRetries,
  retryDelay: 1000,
});
