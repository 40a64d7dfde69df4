// SPDX-License-Identifier: Apache-2.0
//
// The routes. Search parameters are plain text, one string each: addresses stay readable, and those made for Jaeger's
// page work. Each page reads its state from them and writes it back (search_state.ts, trace_state.ts).

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { readSearch, writeSearch } from "./api/search_state";
import { readTraceState, writeTraceState } from "./api/trace_state";
import { NotFound } from "./pages/shell/NotFound";
import { Shell } from "./pages/shell/Shell";

type Address = Record<string, string>;

const rootRoute = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const homeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's way to redirect
    throw redirect({ to: "/search" });
  },
});

const searchRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/search",
  validateSearch: (address: Address): Address => writeSearch(readSearch(address)),
  component: lazyRouteComponent(() => import("./pages/search/SearchPage"), "SearchPage"),
});

const traceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/trace/$traceId",
  validateSearch: (address: Address): Address => writeTraceState(readTraceState(address)),
  component: lazyRouteComponent(() => import("./pages/trace/TracePage"), "TracePage"),
});

const pipelineRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/pipeline",
  component: lazyRouteComponent(() => import("./pages/pipeline/PipelinePage"), "PipelinePage"),
});

function writeAddress(address: Address): string {
  const text = new URLSearchParams(address).toString();
  return text === "" ? "" : `?${text}`;
}

export const router = createRouter({
  routeTree: rootRoute.addChildren([homeRoute, searchRoute, traceRoute, pipelineRoute]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: writeAddress,
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
