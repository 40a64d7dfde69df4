# SPDX-License-Identifier: Apache-2.0
"""Alert rules, dashboards and data sources: what they ask for is what the pods' own pages show."""

import json
import re
import shutil
import subprocess
import urllib.request

import pytest
import yaml

from manifests import DEPLOY, PROMTOOL, of_kind, overlay, workloads
from processes import send, start, wait_for

RULES = DEPLOY / "alerts/spanloom.rules.yaml"
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
# Not of a pod of ours: made by Prometheus of each scrape, and by the kubelet of each volume.
OTHERS = {"up": {"job"}, "kubelet_volume_stats_available_bytes": {"persistentvolumeclaim"}, "kubelet_volume_stats_capacity_bytes": {"persistentvolumeclaim"}}
TARGET = {"namespace", "pod", "job"}  # labels that Prometheus adds to what it scrapes


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(*arguments):
    result = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def queries():
    """(what, expression) of each alert and panel, variables of Grafana replaced."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", re.sub(r"\$(namespace|service)", ".*", target["expr"]).replace("$__rate_interval", "5m")


def selectors(expression):
    """(metric, labels it is matched by) of each selector."""
    for name, matchers in re.findall(r"\b((?:spanloom|otelcol|traces|kubelet)_\w+|up)\b(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers or ""))


def series(port, path="/metrics"):
    """{metric: labels} of a page; parts of a histogram under their own names."""
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read().decode()
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", page, re.M):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


# The pages of a store on a volume behind a collector, of one whose backend is not there, and of span metrics.
@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    merged, running = dict(OTHERS), []
    store = of_kind(overlay("persistent-volume"), "StatefulSet")["jaeger"]
    collector = of_kind(overlay("span-metrics"), "Deployment")["otel-collector"]
    try:
        for workload, among, more in (
                (store, overlay("persistent-volume"), [f"--set=exporters.spanloom_store.data_dir={folder}/store"]),
                (collector, overlay("span-metrics"), ["--set=exporters.otlp_grpc/jaeger.endpoint=127.0.0.1:1", "--set=exporters.otlp_grpc/jaeger.retry_on_failure.enabled=false",
                                                      "--set=connectors.span_metrics.metrics_flush_interval=50ms"])):
            process, ports = start(workload, among, folder, arguments=more)
            running.append(process)
            assert send(ports["otlp/http"]) == 200
            if workload is collector:
                wait_for(lambda: "spanloom_pipeline_dropped_spans" in series(ports["telemetry"]))
                wait_for(lambda: "traces_span_metrics_calls_total" in series(ports["prometheus"]))
                merge(merged, series(ports["prometheus"]))
            merge(merged, series(ports["telemetry"]))
    finally:
        for process in running:
            process.terminate()
            process.wait(30)
    return merged


def merge(into, found):
    for name, labels in found.items():
        into[name] = into.get(name, set()) | labels


@pytest.mark.parametrize("what, expression", list(queries()), ids=[f"{number}-{what}" for number, (what, _) in enumerate(queries())])
def test_a_query_asks_for_what_is_there(pages, what, expression):
    asked = list(selectors(expression))
    assert asked
    for name, labels in asked:
        assert name in pages, f"{what}: no page shows {name}"
        assert labels <= pages[name] | TARGET, f"{what}: {name} has no {labels - pages[name]}"


def test_promtool_takes_rules_and_panels(tmp_path):
    promtool("check", "rules", str(RULES))
    recorded = [{"record": f"panel:{number}", "expr": expression} for number, (_, expression) in enumerate(queries())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    promtool("check", "rules", str(tmp_path / "panels.yaml"))


# Scenario: series that should raise an alert, and such that should not.
# Guarantees: also a counter whose first value is a loss does.
def test_alerts_come_and_go(tmp_path):
    shutil.copy(RULES, tmp_path)
    shutil.copy(DEPLOY.parent / "tests/deploy/alerts_test.yaml", tmp_path)
    promtool("test", "rules", str(tmp_path / "alerts_test.yaml"))


def test_the_operators_rules_are_the_same():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    assert of_kind(overlay("production"), "PrometheusRule")["spanloom"]["spec"]["groups"] == groups
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical") and rule["annotations"].keys() == {"summary", "description"}


# Scenario: what each ServiceMonitor selects, followed to the pods.
# Guarantees: each workload is scraped once where its page is, and the metrics of spans where they are made, and nowhere else.
@pytest.mark.parametrize("name, targets", [
    ("production", {("spanloom", "jaeger", 8888), ("spanloom", "otel-collector", 8888)}),
    ("span-metrics", {("spanloom", "jaeger", 8888), ("spanloom", "otel-collector", 8888), ("spanloom-span-metrics", "otel-collector", 8889)}),
])
def test_each_page_is_scraped(name, targets):
    objects, reached = overlay(name), []
    for monitor in of_kind(objects, "ServiceMonitor").values():
        for service in of_kind(objects, "Service").values():
            if not monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items():
                continue
            port = next(port for port in service["spec"]["ports"] if port["name"] == monitor["spec"]["endpoints"][0]["port"])
            for workload in workloads(objects):
                template = workload["spec"]["template"]
                if service["spec"]["selector"].items() <= template["metadata"]["labels"].items():
                    ports = {entry["name"]: entry["containerPort"] for entry in template["spec"]["containers"][0]["ports"]}
                    reached.append((monitor["metadata"]["name"], workload["metadata"]["name"], ports[port["targetPort"]]))
    assert len(reached) == len(targets) and set(reached) == targets


def test_dashboards_can_be_imported():
    names = set()
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        assert board["schemaVersion"] >= 39 and board["uid"] and board["title"]
        names.add(board["uid"])
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        variables = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(board))) <= variables
    assert len(names) == 2


# Scenario: a dot of a duration panel is clicked.
# Guarantees: exemplars are asked for, and the Prometheus data source knows where the trace is.
def test_exemplars_lead_to_traces():
    board = json.loads((DEPLOY / "grafana/requests.json").read_text())
    durations = [panel for panel in board["panels"] if "exemplars" in panel["title"]]
    assert durations and all(target["exemplar"] for panel in durations for target in panel["targets"])
    sources = {source["uid"]: source for source in yaml.safe_load((DEPLOY / "grafana/datasources.yaml").read_text())["datasources"]}
    destination = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"][0]
    assert destination["name"] == "trace_id" and sources[destination["datasourceUid"]]["type"] == "jaeger"
    assert {source["type"] for source in sources.values()} == {"jaeger", "tempo", "prometheus"}
