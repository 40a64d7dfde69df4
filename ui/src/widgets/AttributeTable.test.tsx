// SPDX-License-Identifier: Apache-2.0

import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import type { JaegerTag } from "../api/jaeger_json";
import { renderPage } from "../testing/render";
import { tag } from "../testing/traces";
import { AttributeTable } from "./AttributeTable";

function rowOf(key: string): HTMLElement {
  const row = screen.getAllByTestId("attribute-row").find((each) => each.dataset.key === key);
  if (!row) throw new Error(`no row ${key}`);
  return row;
}

async function show(...tags: JaegerTag[]): Promise<void> {
  await renderPage(<AttributeTable tags={tags} spanDuration={2_000_000} isSearchable />);
}

it("shows units, and the value as sent on hover", async () => {
  await show(tag("gen_ai.latency.time_to_first_token", 0.809436), tag("gen_ai.usage.completion_tokens", 412));
  const value = within(rowOf("gen_ai.latency.time_to_first_token")).getByText("809 ms");
  expect(value.title).toBe("0.809436 (float64)");
  expect(within(rowOf("gen_ai.usage.completion_tokens")).getByText("412 tok")).toBeTruthy();
});

// Scenario: a prompt among the attributes.
// Guarantees: its text is not in the document until the reader asks for it.
it("keeps prompts behind a click", async () => {
  await show(tag("gen_ai.input.messages", "a secret question"));
  expect(screen.queryByText("a secret question")).toBeNull();
  await userEvent.click(screen.getByTestId("show-text"));
  expect(screen.getByText("a secret question")).toBeTruthy();
});

// Scenario: vLLM reports minus its uptime as queue time, a latency longer than the span, and a credible one.
// Guarantees: the first two are marked, the third is not.
it("marks latencies that can't be true", async () => {
  await show(
    tag("gen_ai.latency.time_in_queue", -81234.2),
    tag("gen_ai.latency.e2e", 3.1),
    tag("gen_ai.latency.time_in_model_prefill", 1.5),
  );
  expect(within(rowOf("gen_ai.latency.time_in_queue")).queryByTestId("doubt")).not.toBeNull();
  expect(within(rowOf("gen_ai.latency.e2e")).queryByTestId("doubt")).not.toBeNull();
  expect(within(rowOf("gen_ai.latency.time_in_model_prefill")).queryByTestId("doubt")).toBeNull();
});

it("shows what JSON can't carry, empty texts and keys given twice", async () => {
  await show({ key: "nan", type: "float64", value: "NaN" }, tag("empty", ""), tag("twice", "a"), tag("twice", "b"));
  expect(within(rowOf("nan")).getByText("NaN")).toBeTruthy();
  expect(within(rowOf("empty")).getByText("empty", { selector: "span" })).toBeTruthy();
  expect(screen.getAllByTestId("attribute-row")).toHaveLength(4);
});

it("offers a search for traces with the attribute", async () => {
  await show(tag("http.route", "/v1/chat completions"));
  const link = screen.getByLabelText("Traces with this http.route");
  expect(decodeURIComponent(link.getAttribute("href") ?? "")).toContain('http.route="/v1/chat');
});
