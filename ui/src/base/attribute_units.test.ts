// SPDX-License-Identifier: Apache-2.0

import { expect, it } from "vitest";
import { formatMeasure, measureOf } from "./attribute_units";

function shown(key: string, type: string, value: number): string {
  return formatMeasure(measureOf(key, type, value), value).replaceAll("\u00a0", " ");
}

// The values of the first rows are vLLM's and llm-d's own, from tests/data/recorded.
it.each([
  ["gen_ai.latency.time_to_first_token", "float64", 0.8094360828399658, "809 ms"],
  ["gen_ai.latency.time_in_queue", "float64", 8.674800028529717e-5, "86.7 µs"],
  ["gen_ai.latency.time_in_model_decode", "float64", 0, "0 µs"],
  ["llm_d.pd_proxy.prefill.duration_ms", "float64", 38, "38 ms"],
  ["gen_ai.usage.completion_tokens", "int64", 412, "412 tok"],
  ["gen_ai.usage.cache_read.input_tokens", "int64", 1024, "1,024 tok"],
  ["gen_ai.request.max_tokens", "int64", 16, "16 tok"],
  ["llm_d.kv_cache.token_count", "int64", 7, "7 tok"],
  ["gen_ai.usage.num_sequences", "int64", 2, "2"],
  ["llm_d.kv_cache.block_hit_ratio", "float64", 0.625, "62.5 %"],
  ["http.request.body.size", "int64", 1536, "1.5 KiB"],
  ["gen_ai.response.time_to_first_chunk", "float64", 0.348, "348 ms"],
  ["gen_ai.request.temperature", "float64", 0.7, "0.7"],
  ["http.response.status_code", "int64", 503, "503"],
])("shows %s (%s) %d as %s", (key, type, value, text) => {
  expect(shown(key, type, value)).toBe(text);
});

// Scenario: gen_ai.latency.* as a large integer, and as a double of the same size.
// Guarantees: only the integer is taken for nanoseconds; vLLM's doubles are seconds whatever their size.
it("tells nanoseconds from seconds by type and size", () => {
  expect(shown("gen_ai.latency.time_to_first_token", "int64", 343_000_000)).toBe("343 ms");
  expect(shown("gen_ai.latency.time_to_first_token", "int64", 2)).toBe("2 s");
  expect(shown("gen_ai.latency.time_in_queue", "float64", 2e6)).toBe("23.1 d");
});

it("shows what is no number as it is", () => {
  expect(shown("gen_ai.latency.e2e", "float64", NaN)).toBe("NaN");
});
