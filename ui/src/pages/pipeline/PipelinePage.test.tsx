// SPDX-License-Identifier: Apache-2.0

import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";
import type { FindingsReport, StatusReport } from "../../api/insight";
import { renderPage } from "../../testing/render";
import { PipelinePage } from "./PipelinePage";

const kFound: FindingsReport = {
  looked_us: (Date.now() - 7_300_000) * 1000,
  findings: [
    {
      rule: "filter-drops-get",
      severity: "error",
      file: "collector.yaml",
      line: 8,
      what: "every GET is dropped",
      fix: '- name == "GET"\n  and more',
    },
    { rule: "live-orphans", severity: "warning", file: "the store of this process", what: "3 spans have no parent" },
  ],
  errors: 1,
  warnings: 1,
  notes: 0,
  left_out: ["traces of a: too slow"],
};
const kNothing: FindingsReport = { ...kFound, findings: [], errors: 0, warnings: 0, left_out: [] };
const kStatus: StatusReport = {
  now_us: Date.now() * 1000,
  started_us: (Date.now() - 7_200_000) * 1000,
  version: "0.1.0",
  counts: [
    { part: "receiver", id: "otlp", event: "accepted", spans: 1234 },
    { part: "receiver", id: "otlp", event: "refused", spans: 0 },
    { part: "exporter", id: "otlp_grpc", event: "lost", cause: "Unavailable", spans: 5 },
  ],
  queues: [{ exporter: "otlp_grpc", size: 3, capacity: 1000 }],
  senders: [
    {
      receiver: "otlp",
      transport: "grpc",
      address: "10.0.0.7",
      program: "OTel-OTLP-Exporter-Python/1.39.0",
      services: ["vllm-decode", "vllm-prefill"],
      connections: 2,
      spans_accepted: 1230,
      spans_refused: 0,
      first_us: (Date.now() - 7_200_000) * 1000,
      last_us: (Date.now() - 3_000) * 1000,
    },
    {
      receiver: "otlp",
      transport: "http",
      address: "",
      program: "",
      services: [],
      connections: 0,
      spans_accepted: 4,
      spans_refused: 6,
      first_us: (Date.now() - 7_200_000) * 1000,
      last_us: (Date.now() - 7_200_000) * 1000,
    },
  ],
  senders_forgotten: { senders: 3, spans_accepted: 44, spans_refused: 0 },
  store: {
    kept: "on disk, in /data",
    traces: 12,
    spans: 1229,
    bytes: 2048,
    segments: 2,
    spans_evicted: 0,
    spans_expired: 40,
    spans_purged: 0,
    spans_duplicate: 0,
    age_max_s: 172_800,
  },
};

interface Answer {
  status: number;
  body: unknown;
}
let answers: Record<string, Answer[]>; // of a path, one after the other; the last one stays

function data(body: unknown): Answer {
  return { status: 200, body: { data: body } };
}
function failed(status: number, msg: string): Answer {
  return { status, body: { data: null, errors: [{ code: status, msg }] } };
}

beforeEach(() => {
  answers = { "/api/insight/findings": [data(kFound)], "/api/insight/status": [data(kStatus)] };
  vi.stubGlobal("fetch", (path: string) => {
    const all = answers[path] ?? [];
    const answer = all.length > 1 ? all.shift() : all[0];
    return Promise.resolve(new Response(JSON.stringify(answer?.body), { status: answer?.status ?? 404 }));
  });
});

// Scenario: an error in a file with a fix, a warning about the store without one, and something that was left out.
// Guarantees: severity as a word, place, sentence and rule of each; the fix is a text to copy; what was left out is said.
it("shows each finding with its place and its fix", async () => {
  await renderPage(<PipelinePage />);
  const [error, warning] = await screen.findAllByTestId("finding");
  for (const text of ["error", "collector.yaml:8", "filter-drops-get", "every GET is dropped"])
    expect(error?.textContent).toContain(text);
  expect(screen.getByTestId("fix").textContent).toBe('- name == "GET"\n  and more');
  expect(warning?.textContent).toContain("the store of this process");
  expect(warning?.querySelector("[data-testid=fix]")).toBeNull();
  expect(screen.getByTestId("looked").textContent).toMatch(/1.error, 1.warning; looked at 2.h ago/);
  expect(screen.getByTestId("left-out").textContent).toContain("traces of a: too slow");
});

// Scenario: a page that has no secure context, as over plain http.
// Guarantees: the fix is copied all the same, as it stands.
it("copies a fix without the browser's clipboard", async () => {
  vi.stubGlobal("isSecureContext", false);
  let copied = "";
  const execCommand = () => {
    copied = document.querySelector("textarea")?.value ?? "";
    return true;
  };
  Object.assign(document, { execCommand });
  await renderPage(<PipelinePage />);
  await userEvent.click(await screen.findByLabelText("Copy the fix"));
  expect(copied).toBe('- name == "GET"\n  and more');
});

it("counts spans, and shows no zero but of what should happen", async () => {
  await renderPage(<PipelinePage />);
  const rows = await screen.findAllByTestId("span-count");
  expect(rows.map((row) => row.textContent)).toEqual([
    expect.stringContaining("accepted1,234"),
    expect.stringContaining("lost: Unavailable5"),
  ]);
  expect(rows.map((row) => row.hasAttribute("data-trouble"))).toEqual([false, true]);
  expect(screen.getByTestId("queue").textContent).toContain("of 1,0003");
  const store = screen.getByTestId("store").textContent;
  for (const text of ["on disk, in /data", "older than 2", "40 spans"]) expect(store).toContain(text);
  expect(store).not.toContain("Removed for room");
});

// Scenario: a program with two services, one without a name over a unix socket that was refused something, and some that
// are forgotten; then nobody.
// Guarantees: who they are and what became of their spans, refusals marked; how to send when nobody has.
it("lists who sends", async () => {
  answers["/api/insight/status"] = [data(kStatus), data({ ...kStatus, senders: [], senders_forgotten: undefined })];
  await renderPage(<PipelinePage />);
  const rows = await screen.findAllByTestId("sender");
  for (const text of [
    "10.0.0.7",
    "OTel-OTLP-Exporter-Python/1.39.0",
    "vllm-decode, vllm-prefill",
    "otlp/grpc",
    "1,230",
  ])
    expect(rows[0]?.textContent).toContain(text);
  expect(rows[0]?.textContent).toMatch(/2.h ago/);
  expect(rows[1]?.textContent).toContain("unix socketunnamed");
  expect(rows.map((row) => row.hasAttribute("data-trouble"))).toEqual([false, true]);
  expect(screen.getByTestId("senders-forgotten").textContent).toContain("3 times)44");
  await userEvent.click(screen.getByTestId("refresh"));
  expect(await screen.findByText(/Nobody has sent a span yet/)).toBeTruthy();
  expect(screen.queryByTestId("senders-forgotten")).toBeNull();
});

// Scenario: nothing is wrong; then something is, and Refresh is pressed.
// Guarantees: that nothing was found is said, with when it was looked; the page asks again when it is told to.
it("says that nothing was found, and looks again", async () => {
  answers["/api/insight/findings"] = [data(kNothing), data(kFound)];
  await renderPage(<PipelinePage />);
  expect(await screen.findByTestId("nothing-found")).toBeTruthy();
  expect(screen.getByTestId("looked").textContent).toMatch(/^looked at 2.h ago/);
  await userEvent.click(screen.getByTestId("refresh"));
  expect(await screen.findAllByTestId("finding")).toHaveLength(2);
  expect(screen.queryByTestId("nothing-found")).toBeNull();
});

// Scenario: the findings can't be had, the counters can; then they can.
// Guarantees: the failure is the findings' alone, in the server's words, and trying again mends it.
it("shows what failed, and the rest", async () => {
  answers["/api/insight/findings"] = [failed(500, "the store is broken"), data(kFound)];
  await renderPage(<PipelinePage />);
  expect((await screen.findByTestId("failure")).textContent).toContain("the store is broken");
  expect(await screen.findAllByTestId("span-count")).toHaveLength(2);
  await userEvent.click(screen.getByTestId("retry"));
  expect(await screen.findAllByTestId("finding")).toHaveLength(2);
});
