// SPDX-License-Identifier: Apache-2.0
//
// Says that an answer is on its way, once it has taken longer than one would notice.

import { Loader } from "@mantine/core";
import styles from "./Progress.module.css";

export function Progress({ what }: { what: string }) {
  return (
    <div className={styles.progress} role="status" data-testid="progress">
      <Loader size={16} />
      {what}
    </div>
  );
}

// A line that runs along the top edge of what is being renewed.
export function RenewalLine() {
  return <div className={styles.line} role="status" aria-label="Loading" />;
}
