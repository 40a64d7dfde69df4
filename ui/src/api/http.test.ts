// SPDX-License-Identifier: Apache-2.0

import { expect, it, vi } from "vitest";
import { ApiError, getData } from "./http";

function answer(body: string, status: number): void {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status })));
}

async function failureOf(signal = new AbortController().signal): Promise<unknown> {
  return getData("/api/traces", signal).then(
    () => undefined,
    (error: unknown) => error,
  );
}

it("gives the data of an envelope, and null for none", async () => {
  answer('{"data":["a"]}', 200);
  expect(await getData("/api/services", new AbortController().signal)).toEqual(["a"]);
  answer('{"data":null}', 200);
  expect(await getData("/api/services", new AbortController().signal)).toBeNull();
});

it("fails with the server's own words", async () => {
  answer('{"data":null,"errors":[{"code":400,"msg":"malformed \'tag\' parameter"}]}', 400);
  expect(await failureOf()).toMatchObject({ status: 400, path: "/api/traces", message: "malformed 'tag' parameter" });
});

it("fails with the text of an answer that is not Jaeger's", async () => {
  answer("upstream connect error", 503);
  expect(await failureOf()).toMatchObject({ status: 503, message: "upstream connect error" });
  answer("<html>", 200);
  expect(await failureOf()).toMatchObject({ status: 200, message: "the answer is not JSON" });
});

// Scenario: no connection; and a request that the page itself has cancelled.
// Guarantees: the first is a failure to show, the second is not one.
it("tells a lost server from a cancelled request", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  expect(await failureOf()).toMatchObject({ name: "ApiError", status: undefined });
  expect(await failureOf(AbortSignal.abort())).not.toBeInstanceOf(ApiError);
});
