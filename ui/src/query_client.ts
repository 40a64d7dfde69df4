// SPDX-License-Identifier: Apache-2.0
//
// The cache of answers. Nothing is asked again behind the reader's back: traces change under a fresh question only.

import { QueryClient } from "@tanstack/react-query";

export const queryClient = new QueryClient({
  defaultOptions: { queries: { retry: false, refetchOnWindowFocus: false, refetchOnReconnect: false } },
});
