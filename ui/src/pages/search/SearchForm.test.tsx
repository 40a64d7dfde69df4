// SPDX-License-Identifier: Apache-2.0

import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import { kDefaultSearch } from "../../api/search_state";
import { renderPage } from "../../testing/render";
import { SearchForm } from "./SearchForm";

const kAnswers: Record<string, string[]> = {
  "/api/services": ["llm-d-router/epp", "vllm-decode"],
  "/api/services/llm-d-router%2Fepp/operations": ["gateway.request"],
};

beforeEach(() => {
  vi.stubGlobal("fetch", (path: string) =>
    Promise.resolve(new Response(JSON.stringify({ data: kAnswers[path] ?? [] }))),
  );
});

it("hands over what was typed when Find is pressed", async () => {
  const onFind = vi.fn();
  await renderPage(<SearchForm state={kDefaultSearch} onFind={onFind} />);
  await userEvent.type(screen.getByTestId("tags-input"), "error=true");
  await userEvent.type(screen.getByTestId("min-duration"), "100ms");
  await userEvent.click(screen.getByTestId("find-button"));
  expect(onFind).toHaveBeenCalledExactlyOnceWith({ ...kDefaultSearch, tags: "error=true", minDuration: "100ms" });
});

// Scenario: attributes that are not key=value, and Enter in the field.
// Guarantees: the problem is named, and nothing is searched for.
it("refuses a draft with a problem", async () => {
  const onFind = vi.fn();
  await renderPage(<SearchForm state={kDefaultSearch} onFind={onFind} />);
  await userEvent.type(screen.getByTestId("tags-input"), "error{Enter}");
  expect(screen.getByText(/Not key=value/)).toBeTruthy();
  expect(onFind).not.toHaveBeenCalled();
});

// Scenario: a service is chosen, then an operation of it, then another service.
// Guarantees: operations come from the service chosen (whose name holds a slash), and don't outlive it.
it("offers the operations of the chosen service", async () => {
  const onFind = vi.fn();
  await renderPage(<SearchForm state={kDefaultSearch} onFind={onFind} />);
  await userEvent.click(screen.getByTestId("service-select"));
  await userEvent.click(await screen.findByText("llm-d-router/epp"));
  await userEvent.click(screen.getByTestId("operation-select"));
  await userEvent.click(await screen.findByText("gateway.request"));
  await userEvent.click(screen.getByTestId("find-button"));
  expect(onFind).toHaveBeenLastCalledWith({
    ...kDefaultSearch,
    service: "llm-d-router/epp",
    operation: "gateway.request",
  });
  await userEvent.click(screen.getByTestId("service-select"));
  await userEvent.click(await screen.findByText("vllm-decode"));
  await userEvent.click(screen.getByTestId("find-button"));
  expect(onFind).toHaveBeenLastCalledWith({ ...kDefaultSearch, service: "vllm-decode" });
});
