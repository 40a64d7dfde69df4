// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from "vitest";
import { kDefaultSearch, readSearch, type SearchState, toQuery, writeSearch } from "./search_state";

const kNow = 1_795_369_000_000_000;

describe("the address", () => {
  it("is empty for the defaults", () => {
    expect(writeSearch(kDefaultSearch)).toEqual({});
    expect(readSearch({})).toEqual(kDefaultSearch);
  });

  // Scenario: every field differs from its default.
  // Guarantees: reading what was written gives the same state, so back, forward and shared links keep everything.
  it("carries every field there and back", () => {
    const state: SearchState = {
      service: "llm-d-router/epp",
      operation: "gateway.request",
      tags: 'error=true name="a b"',
      minDuration: "100ms",
      maxDuration: "2s",
      lookback: "custom",
      start: kNow - 1e6,
      end: kNow,
      limit: 200,
      sort: "longest",
    };
    expect(readSearch(writeSearch(state))).toEqual(state);
  });

  it("falls back to defaults for what it can't use", () => {
    const state = readSearch({ limit: "many", sort: "oldest", lookback: "ever", start: "yesterday" });
    expect(state).toEqual(kDefaultSearch);
    expect(readSearch({ limit: "99999" }).limit).toBe(1500);
    expect(readSearch({ limit: "-3" }).limit).toBe(20);
  });

  it("understands a link made for Jaeger's page", () => {
    const state = readSearch({
      service: "vllm-decode",
      operation: "all",
      lookback: "custom",
      start: "100",
      end: "200",
      tags: '{"error":"true"}',
    });
    expect(state).toMatchObject({ operation: "", lookback: "custom", start: 100, end: 200 });
    expect(toQuery(state, kNow).get("tags")).toBe('{"error":"true"}');
  });
});

describe("the query", () => {
  it("looks back from now", () => {
    const query = toQuery({ ...kDefaultSearch, lookback: "15m" }, kNow);
    expect(Number(query.get("end")) - Number(query.get("start"))).toBe(15 * 60e6);
    expect(query.get("end")).toBe(String(kNow));
  });

  it("leaves out the service for all services, and an operation without its service", () => {
    const query = toQuery({ ...kDefaultSearch, operation: "llm_request" }, kNow);
    expect(query.has("service")).toBe(false);
    expect(query.has("operation")).toBe(false);
  });

  it("sends tags as the JSON object that Jaeger's API expects", () => {
    const query = toQuery({ ...kDefaultSearch, tags: "http.status_code=500 error=true" }, kNow);
    expect(JSON.parse(query.get("tags") ?? "")).toEqual({ "http.status_code": "500", error: "true" });
  });
});
