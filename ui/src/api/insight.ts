// SPDX-License-Identifier: Apache-2.0
//
// The JSON of /api/insight/*: how the server's process is doing, and what the doctor finds in it. Times are microseconds.

export type Severity = "error" | "warning" | "note";

export interface Finding {
  rule: string;
  severity: Severity;
  file: string; // or what else was looked at
  line?: number;
  what: string;
  fix?: string; // to be pasted
}

export interface FindingsReport {
  looked_us: number;
  findings: Finding[];
  errors: number;
  warnings: number;
  notes: number;
  left_out: string[];
}

export interface SpanCount {
  part: string; // receiver | pipeline | processor | connector | exporter; unknown ones are shown as they are
  id: string;
  event: string;
  cause?: string;
  spans: number;
}

export interface QueueState {
  exporter: string;
  size: number;
  capacity: number;
}

export interface Sender {
  receiver: string;
  transport: string;
  address: string; // "" over a unix socket
  program: string; // its user agent, or ""
  services: string[]; // some of them
  connections: number; // in the last minute
  spans_accepted: number;
  spans_refused: number;
  first_us: number;
  last_us: number;
}

// Of senders that made room for others, which may have come again.
export interface ForgottenSenders {
  senders: number;
  spans_accepted: number;
  spans_refused: number;
}

export interface StoreState {
  kept: string;
  traces: number;
  spans: number;
  bytes: number;
  oldest_us?: number;
  newest_us?: number;
  segments?: number;
  spans_evicted: number;
  spans_expired: number;
  spans_purged: number;
  spans_duplicate: number;
  age_max_s?: number;
  bytes_max?: number;
}

export interface StatusReport {
  now_us: number;
  started_us: number;
  version: string;
  counts: SpanCount[];
  queues: QueueState[];
  senders: Sender[]; // whoever sent last first
  senders_forgotten?: ForgottenSenders;
  store: StoreState;
}
