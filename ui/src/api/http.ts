// SPDX-License-Identifier: Apache-2.0
//
// Requests to the server the page came from. Every request can be cancelled, ends after kTimeoutMs, and fails with an
// ApiError that says what was asked and what came back.

import { parseJaeger } from "./jaeger_json";

const kTimeoutMs = 60_000; // Guess: longer than any query that one waits for.

export class ApiError extends Error {
  constructor(
    readonly path: string,
    readonly status: number | undefined, // undefined: no answer at all
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

async function request(path: string, signal: AbortSignal): Promise<Response> {
  const deadline = AbortSignal.timeout(kTimeoutMs);
  try {
    return await fetch(path, { signal: AbortSignal.any([signal, deadline]), headers: { Accept: "application/json" } });
  } catch (cause) {
    if (signal.aborted) throw cause;
    const what = deadline.aborted ? `no answer within ${kTimeoutMs / 1000} s` : "the server can't be reached";
    throw new ApiError(path, undefined, what);
  }
}

function messageOf(text: string): string {
  try {
    return parseJaeger(text).errors?.[0]?.msg ?? text;
  } catch {
    return text;
  }
}

// The `data` of an answer in Jaeger's envelope; null when the server has none.
export async function getData<T>(path: string, signal: AbortSignal): Promise<T | null> {
  const response = await request(path, signal);
  const text = await response.text();
  if (!response.ok)
    throw new ApiError(path, response.status, messageOf(text).trim().slice(0, 500) || response.statusText);
  try {
    return parseJaeger<T>(text).data;
  } catch {
    throw new ApiError(path, response.status, "the answer is not JSON");
  }
}
