// SPDX-License-Identifier: Apache-2.0
//
// One trace. What is shown of it stands in the address (trace_state.ts).

import { Button, EmptyState } from "@mantine/core";
import { IconTimeline } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { ApiError } from "../../api/http";
import { traceQuery } from "../../api/queries";
import { readTraceState, type TraceState, writeTraceState } from "../../api/trace_state";
import { Failure } from "../../widgets/Failure";
import { Progress } from "../../widgets/Progress";
import { TraceView } from "./TraceView";

function NoTrace({ traceId, onRetry }: { traceId: string; onRetry: () => void }) {
  return (
    <EmptyState
      pt={100}
      icon={<IconTimeline size={30} stroke={1.3} />}
      title="No such trace"
      description={`No span of ${traceId} is stored: it was not sampled, has not arrived yet, or is older than what is kept.`}
      data-testid="no-trace"
    >
      <EmptyState.Actions>
        <Button variant="default" onClick={onRetry}>
          Look again
        </Button>
        <Button variant="default" renderRoot={(props) => <Link to="/search" {...props} />}>
          Search
        </Button>
      </EmptyState.Actions>
    </EmptyState>
  );
}

export function TracePage() {
  const { traceId } = useParams({ from: "/trace/$traceId" });
  const address = useSearch({ from: "/trace/$traceId" });
  const state = useMemo(() => readTraceState(address), [address]);
  const navigate = useNavigate();
  const query = useQuery(traceQuery(traceId, useQueryClient()));
  const retry = () => void query.refetch();
  const change = (next: Partial<TraceState>, replace = false) =>
    void navigate({
      to: "/trace/$traceId",
      params: { traceId },
      search: writeTraceState({ ...state, ...next }),
      replace,
    });

  if (query.isLoading) return <Progress what="Loading the trace" />;
  if (query.error instanceof ApiError && query.error.status === 404)
    return <NoTrace traceId={traceId} onRetry={retry} />;
  if (query.error) return <Failure what="The trace can't be loaded" error={query.error} onRetry={retry} />;
  if (!query.data) return <Progress what="Loading the trace" />;
  return <TraceView key={traceId} trace={query.data} state={state} onChange={change} />;
}
