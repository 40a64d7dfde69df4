// SPDX-License-Identifier: Apache-2.0

import { useInterval } from "@mantine/hooks";
import { useState } from "react";

const kTickMs = 15_000; // "15 s ago" is then never off by more than itself

// The present, in microseconds, renewed every kTickMs.
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() * 1000);
  useInterval(() => setNow(Date.now() * 1000), kTickMs, { autoInvoke: true });
  return now;
}
