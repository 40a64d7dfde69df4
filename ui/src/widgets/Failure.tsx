// SPDX-License-Identifier: Apache-2.0
//
// A request that failed: what was asked, what came back, and a way to ask again.

import { Alert, Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { ApiError } from "../api/http";
import styles from "./Failure.module.css";

function outcome(error: Error): string {
  if (!(error instanceof ApiError)) return error.message;
  return error.status === undefined ? error.message : `HTTP ${error.status}: ${error.message}`;
}

interface Props {
  what: string; // "The search failed"
  error: Error;
  onRetry: () => void;
}

export function Failure({ what, error, onRetry }: Props) {
  return (
    <Alert
      className={styles.failure}
      color="red"
      variant="light"
      title={what}
      icon={<IconAlertTriangle size={18} />}
      data-testid="failure"
    >
      <p className={styles.outcome}>{outcome(error)}</p>
      {error instanceof ApiError && <p className={`mono ${styles.path ?? ""}`}>GET {error.path}</p>}
      <Button variant="default" mt={8} onClick={onRetry} data-testid="retry">
        Try again
      </Button>
    </Alert>
  );
}
