# SPDX-License-Identifier: Apache-2.0
"""What a collector's own counters say of the spans that it was sent: the equations of ARCHITECTURE.md, "Counters that add up"."""

import re
import time
import urllib.request

PATIENCE_SECONDS = 30
LINE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Counters:
    """One look at a page of metrics."""

    def __init__(self, page):
        self.page, self._series = page, {}
        for line in page.splitlines():
            if match := LINE.match(line):
                name, labels, value = match.groups()
                self._series.setdefault(name, []).append((dict(LABEL.findall(labels or "")), float(value)))

    @classmethod
    def of(cls, process):
        return cls(urllib.request.urlopen(f"http://127.0.0.1:{process.ports['telemetry']}/metrics", timeout=10).read().decode())

    def sum(self, name, without=(), **labels):
        """Of the series that have `labels`, and none of the labels named in `without`."""
        return int(sum(value for found, value in self._series.get(name, ())
                       if labels.items() <= found.items() and not any(label in found for label in without)))

    def by(self, name, label, **labels):
        """{value of `label`: sum} of a metric."""
        found = {}
        for series, value in self._series.get(name, ()):
            if labels.items() <= series.items() and label in series and value:
                found[series[label]] = found.get(series[label], 0) + int(value)
        return found


def differences(counters, pipelines, sent):
    """What does not add up, in words. `pipelines`: {name: {"receivers", "processors", "exporters"}} of traces; `sent`: spans of all requests
    that could be read, answered OK or not."""
    found = []

    def equal(left, right, what):
        if left != right:
            found.append(f"{what}: {left} is not {right}")

    received = {}
    for receiver in {name for pipeline in pipelines.values() for name in pipeline["receivers"]}:
        received[receiver] = counters.sum("otelcol_receiver_accepted_spans", receiver=receiver)
    refused = counters.sum("otelcol_receiver_refused_spans") + counters.sum("otelcol_receiver_failed_spans")
    equal(sent, sum(received.values()) + refused, "sent = accepted + refused and failed")
    passed_on = {}
    for name, pipeline in pipelines.items():
        accepted = counters.sum("spanloom_pipeline_accepted_spans", pipeline=name)
        dropped = counters.sum("spanloom_pipeline_dropped_spans", without=["processor"], pipeline=name)
        repeated = counters.sum("spanloom_pipeline_repeated_spans", pipeline=name)
        equal(sum(received[receiver] for receiver in pipeline["receivers"]), accepted + dropped - repeated, f"received = taken in by pipeline {name}")
        passed_on[name] = (accepted - counters.sum("spanloom_pipeline_filtered_spans", pipeline=name)
                           - sum(counters.sum("spanloom_pipeline_dropped_spans", pipeline=name, processor=processor)
                                 + counters.sum("spanloom_processor_held_spans", pipeline=name, processor=processor)
                                 for processor in pipeline.get("processors", ())))
    for exporter in {name for pipeline in pipelines.values() for name in pipeline["exporters"]}:
        given = sum(passed_on[name] for name, pipeline in pipelines.items() if exporter in pipeline["exporters"])
        given += counters.sum("spanloom_pipeline_repeated_spans", exporter=exporter)
        ends = {name: counters.sum(name, exporter=exporter) for name in ("otelcol_exporter_sent_spans", "spanloom_exporter_rejected_spans",
                                                                         "spanloom_pipeline_dropped_spans", "spanloom_exporter_held_spans")}
        equal(given, sum(ends.values()), f"passed on = delivered + rejected + dropped + held by exporter {exporter} {ends}")
    return found


def check(process, pipelines, sent):
    """received = delivered + refused + filtered + dropped by cause + still queued. What is under way when the page is read stands in neither
    place, or in both, so the page is read until it adds up. Returns the counters."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        counters = Counters.of(process)
        found = differences(counters, pipelines, sent)
        if not found:
            return counters
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(found) + "\n" + counters.page)
        time.sleep(0.05)
