// SPDX-License-Identifier: Apache-2.0
//
// What is searched for, as it stands in the address of the search page, and the query of /api/traces that it means.
// Addresses made for Jaeger's search page are understood too.

import { parseDuration } from "../base/duration_text";
import { parseTags } from "../base/tag_text";

export const kLookbacks = ["5m", "15m", "1h", "6h", "24h", "2d"] as const;
export const kCustomLookback = "custom";
export const kSorts = ["newest", "longest", "spans", "errors", "tokens"] as const;
export const kLimitMax = 1500; // Jaeger's page allows no more

export type Sort = (typeof kSorts)[number];

export interface SearchState {
  service: string; // "" means all
  operation: string; // "" means all
  tags: string; // as typed; tag_text.ts
  minDuration: string; // "" means no limit
  maxDuration: string;
  lookback: string; // one of kLookbacks or any other duration; kCustomLookback: start to end
  start: number | undefined; // microseconds
  end: number | undefined;
  limit: number; // traces, [1, kLimitMax]
  sort: Sort;
}

export const kDefaultSearch: SearchState = {
  service: "",
  operation: "",
  tags: "",
  minDuration: "",
  maxDuration: "",
  lookback: "1h",
  start: undefined,
  end: undefined,
  limit: 20,
  sort: "newest",
};

type Address = Partial<Record<keyof SearchState, string>>;

function readTime(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,17}$/.test(text) ? Number(text) : undefined;
}

function readLookback(address: Address): string {
  const lookback = address.lookback ?? "";
  const hasRange = readTime(address.start) !== undefined && readTime(address.end) !== undefined;
  if (lookback === kCustomLookback || lookback === "") return hasRange ? kCustomLookback : kDefaultSearch.lookback;
  return parseDuration(lookback) === undefined ? kDefaultSearch.lookback : lookback;
}

function readLimit(text: string | undefined): number {
  const limit = Math.trunc(Number(text));
  return limit >= 1 ? Math.min(limit, kLimitMax) : kDefaultSearch.limit;
}

// Any address gives a state: what can't be used falls back to its default.
export function readSearch(address: Address): SearchState {
  const lookback = readLookback(address);
  const isCustom = lookback === kCustomLookback;
  return {
    service: address.service ?? "",
    operation: address.operation === "all" ? "" : (address.operation ?? ""),
    tags: address.tags ?? "",
    minDuration: address.minDuration ?? "",
    maxDuration: address.maxDuration ?? "",
    lookback,
    start: isCustom ? readTime(address.start) : undefined,
    end: isCustom ? readTime(address.end) : undefined,
    limit: readLimit(address.limit),
    sort: kSorts.find((sort) => sort === address.sort) ?? kDefaultSearch.sort,
  };
}

// The address of a state; defaults are left out.
export function writeSearch(state: SearchState): Record<string, string> {
  const entries = Object.entries(state) as [keyof SearchState, string | number | undefined][];
  const told = entries.filter(([key, value]) => value !== undefined && value !== kDefaultSearch[key]);
  return Object.fromEntries(told.map(([key, value]) => [key, String(value)]));
}

function range(state: SearchState, now: number): { start: number; end: number } {
  const { start, end } = state;
  if (start !== undefined && end !== undefined) return { start, end };
  const lookback = parseDuration(state.lookback) ?? parseDuration(kDefaultSearch.lookback) ?? 0;
  return { start: now - lookback, end: now };
}

// The query string of /api/traces. `now` in microseconds. Tags that can't be read are left out: the form shows why.
export function toQuery(state: SearchState, now: number): URLSearchParams {
  const { start, end } = range(state, now);
  const query = new URLSearchParams({
    start: String(Math.floor(start)),
    end: String(Math.ceil(end)),
    limit: String(state.limit),
  });
  if (state.service) query.set("service", state.service);
  if (state.service && state.operation) query.set("operation", state.operation);
  if (state.minDuration) query.set("minDuration", state.minDuration);
  if (state.maxDuration) query.set("maxDuration", state.maxDuration);
  const { tags = {} } = parseTags(state.tags);
  if (Object.keys(tags).length > 0) query.set("tags", JSON.stringify(tags));
  return query;
}
