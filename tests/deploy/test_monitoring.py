# SPDX-License-Identifier: Apache-2.0
"""Alert rules, dashboards and data sources: what they ask for is what the pods' own pages show."""

import http.server
import itertools
import json
import re
import shutil
import subprocess
import threading
import urllib.request

import pytest
import yaml

from manifests import BINARY, DEPLOY, PROMTOOL, of_kind, overlay, workloads
from processes import SPAN, get, send, start, start_command, wait_for
from promql import Reader

RULES = DEPLOY / "alerts/spanloom.rules.yaml"
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
CLAIM = {"persistentvolumeclaim": {"spanloom-store"}}
# Not of a pod of ours: made by Prometheus of each scrape, and by the kubelet of each volume.
OTHERS = {"up": {"job": {"otel-collector-monitoring", "jaeger-collector-monitoring"}}, "kubelet_volume_stats_available_bytes": CLAIM, "kubelet_volume_stats_capacity_bytes": CLAIM}
TARGET = {"namespace", "pod", "job"}  # labels that Prometheus adds to what it scrapes
FAILED = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "vllm-decode"}}]},
                             "scopeSpans": [{"spans": [{**SPAN, "spanId": "eee19b7ec3c1b177", "status": {"code": 2}}]}]}]}
# Loses spans in a processor that waits, and in a connector that knows no way.
LOSING = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}, http: {endpoint: "127.0.0.1:0"}}}}
processors: {batch: {timeout: 1ms}}
connectors: {routing: {table: [{condition: 'attributes["never"] == true', pipelines: [traces/late]}]}}
exporters: {otlp_http: {endpoint: "http://127.0.0.1:PORT", sending_queue: {enabled: false}}}
service:
  telemetry: {metrics: {address: "127.0.0.1:0"}, logs: {encoding: json}}
  pipelines:
    traces/in: {receivers: [otlp], exporters: [routing]}
    traces/late: {receivers: [otlp, routing], processors: [batch], exporters: [otlp_http]}
"""


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def promtool(*arguments):
    result = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def boards():
    return [(path.stem, json.loads(path.read_text())) for path in DASHBOARDS]


def queries():
    """(what, expression, what is said of each series of its answer) of each alert and panel, variables of Grafana replaced."""
    for rule in rules():
        yield rule["alert"], rule["expr"], " ".join(re.findall(r"\$labels\.\w+", json.dumps(rule["annotations"])))
    for stem, board in boards():
        for panel in board["panels"]:
            for target in panel["targets"]:
                expression = re.sub(r"\$(namespace|service)", ".*", target["expr"]).replace("$__rate_interval", "5m")
                yield f"{stem}: {panel['title']}", expression, target["legendFormat"]


def series(port, path="/metrics"):
    """{metric: {label: values}} of a page; parts of a histogram under their own names."""
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read().decode()
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? ", page, re.M):
        merge(found, {name: {label: {value} for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)}})
    return found


def merge(into, found):
    for name, labels in found.items():
        for label, values in labels.items():
            has = into.setdefault(name, {})
            has[label] = has.get(label, set()) | values
        into.setdefault(name, {})


class Refusing(http.server.BaseHTTPRequestHandler):
    """Wants nothing, for good."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_error(400)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def refusing_backend():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


# The pages of a store on a volume (`serve`), of a collector whose backend is not there, of span metrics, and of losses between receiver and exporter.
@pytest.fixture(scope="module")
def pages(tmp_path_factory, refusing_backend):
    folder = tmp_path_factory.mktemp("pages")
    merged, running = {}, []
    merge(merged, OTHERS)
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
                assert get(f"http://127.0.0.1:{ports['otlp/http']}/v1/traces", json.dumps(FAILED).encode())[0] == 200
                wait_for(lambda: "STATUS_CODE_ERROR" in series(ports["prometheus"]).get("traces_span_metrics_calls_total", {}).get("status_code", ()))
                merge(merged, series(ports["prometheus"]))
            merge(merged, series(ports["telemetry"]))
        (folder / "losing.yaml").write_text(LOSING.replace("PORT", str(refusing_backend)))
        process, ports = start_command([str(BINARY), "collector", f"--config={folder}/losing.yaml"], {}, folder / "losing.log")
        running.append(process)
        assert send(ports["otlp/http"]) == 200
        wait_for(lambda: {"connector", "processor"} <= series(ports["telemetry"]).get("spanloom_pipeline_dropped_spans", {}).keys())
        merge(merged, series(ports["telemetry"]))
    finally:
        for process in running:
            process.terminate()
            process.wait(30)
    return merged


# Guarantees: metrics, labels, their values and what answers are grouped by are on the pages; what a legend or an alert says of a series, the answer has, and a
# legend tells the series of a panel's query apart.
@pytest.mark.parametrize("what, expression, said", list(queries()), ids=[f"{number}-{what}" for number, (what, *_) in enumerate(queries())])
def test_a_query_asks_for_what_is_there(pages, what, expression, said):
    reader = Reader(pages, TARGET)
    answered = reader.labels(expression)
    assert reader.metrics
    named = set(re.findall(r"\$labels\.(\w+)", said)) | set(re.findall(r"\{\{\s*(\w+)\s*\}\}", said))
    assert named <= answered, f"{what} says {named - answered}, which its answer has not"
    grouped = set().union(*(re.findall(r"\w+", names) for names in re.findall(r"\bby \(([^)]*)\)", expression)))
    assert "$labels" in said or ":" not in what or grouped - {"le"} <= named, f"{what}: lines with the same legend, for {grouped - named}"


# Guarantees: who lost spans is said, whether it is an exporter, a processor or a connector.
def test_losses_name_their_owner(pages):
    owners = {"exporter", "processor", "connector"}
    assert owners < pages["spanloom_pipeline_dropped_spans"].keys()
    asked = [(what, expression, said) for what, expression, said in queries() if "spanloom_pipeline_dropped_spans" in expression]
    assert len(asked) == 2
    for what, expression, said in asked:
        assert owners <= Reader(pages, TARGET).labels(expression), what
        assert owners <= set(re.findall(r"\w+", said)), what


# Guarantees: what a variable chooses from is there.
@pytest.mark.parametrize("stem, board", boards(), ids=[stem for stem, _ in boards()])
def test_variables_choose_from_what_is_there(pages, stem, board):
    asked = [variable["query"]["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert asked
    for query in asked:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", query).groups()
        assert metric in pages, f"{stem}: no page shows {metric}"
        assert label in set(pages[metric]) | TARGET, f"{stem}: {metric} has no {label}"


def test_promtool_takes_rules_and_panels(tmp_path):
    promtool("check", "rules", str(RULES))
    recorded = [{"record": f"panel:{number}", "expr": expression} for number, (_, expression, _) in enumerate(queries())]
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
    for _, board in boards():
        assert board["schemaVersion"] >= 39 and board["uid"] and board["title"]
        names.add(board["uid"])
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        variables = {variable["name"] for variable in board["templating"]["list"]}
        assert set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(board))) <= variables
    assert len(names) == 2


# Guarantees: a panel, each of its queries and each variable ask the data source that the reader of the board chose, of its type.
def test_dashboards_ask_the_chosen_source():
    for stem, board in boards():
        chosen = {f"${{{variable['name']}}}": variable["query"] for variable in board["templating"]["list"] if variable["type"] == "datasource"}
        asking = [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
        asking += [each for panel in board["panels"] for each in (panel, *panel["targets"])]
        for each in asking:
            assert chosen.get(each["datasource"]["uid"]) == each["datasource"]["type"], f"{stem}: {each.get('title', each)}"


# Guarantees: panels lie beside one another on Grafana's 24 columns, and none under another.
def test_panels_do_not_overlap():
    for stem, board in boards():
        places = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
        for title, place in places:
            assert place["x"] >= 0 and place["w"] > 0 and place["h"] > 0 and place["x"] + place["w"] <= 24, f"{stem}: {title}"
        for (one, a), (other, b) in itertools.combinations(places, 2):
            beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
            assert beside, f"{stem}: {one} and {other} overlap"


# Guarantees: the jobs and the claim that alerts name by value are those of the overlays.
def test_values_that_no_page_shows():
    assert OTHERS["up"]["job"] <= of_kind(overlay("production"), "Service").keys()
    templates = of_kind(overlay("persistent-volume"), "StatefulSet")["jaeger"]["spec"].get("volumeClaimTemplates", [])
    claims = set(of_kind(overlay("persistent-volume"), "PersistentVolumeClaim")) | {template["metadata"]["name"] for template in templates}
    assert CLAIM["persistentvolumeclaim"] <= claims


# Scenario: the page of a routing proxy, which no rule and no panel asks.
# Guarantees: the metrics that its document names are there.
def test_the_proxys_document_names_what_is_there(tmp_path):
    command = [str(BINARY), "routing-proxy", "--listen-host=127.0.0.1", "--port=0", "--vllm-port=1", "--secure-proxy=false", "--log-format=json",
               "--metrics-host=127.0.0.1:0"]
    process, ports = start_command(command, {}, tmp_path / "proxy.log")
    try:
        shown = series(ports["telemetry"])
    finally:
        process.terminate()
        process.wait(30)
    paragraph = re.search(r"^Metrics, at `--metrics-port`.*?\n\n", (DEPLOY.parent / "docs/routing-proxy.md").read_text(), re.M | re.S)[0]
    named = {name.removeprefix("llm_d_disagg_sidecar") for name in re.findall(r"`((?:llm_d_disagg_sidecar)?_[a-z_]+)", paragraph)}
    assert len(named) > 10
    assert {name for name in named if not {f"llm_d_disagg_sidecar{name}", f"llm_d_disagg_sidecar{name}_count"} & shown.keys()} == set()


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
