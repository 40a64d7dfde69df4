// SPDX-License-Identifier: Apache-2.0
//
// Renders a component within the providers it expects: library, queries, and a router with the pages' addresses.

import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";

function makeRouter(content: ReactNode) {
  const root = createRootRoute();
  const home = createRoute({ getParentRoute: () => root, path: "/", component: () => content });
  const search = createRoute({ getParentRoute: () => root, path: "/search" });
  const trace = createRoute({ getParentRoute: () => root, path: "/trace/$traceId" });
  return createRouter({ routeTree: root.addChildren([home, search, trace]), history: createMemoryHistory() });
}

export async function renderPage(content: ReactNode): Promise<void> {
  const router = makeRouter(content);
  await router.load();
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}
