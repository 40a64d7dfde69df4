// SPDX-License-Identifier: Apache-2.0
//
// Every rule over files: a file that has the fault, and that nothing is found in what is well.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "doctor/examine.h"

namespace spanloom::doctor {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

// "LINE RULE" of each finding.
std::vector<std::string> Found(std::vector<FileText> files) {
  std::vector<std::string> found;
  for (const Finding& finding : Examine(files).findings) {
    found.push_back(StrCat(finding.where.line, " ", finding.rule));
  }
  return found;
}
std::vector<std::string> Found(std::string text) {
  return Found(std::vector<FileText>{{"f.yaml", std::move(text)}});
}

struct Case {
  const char* name;
  const char* text;
  std::vector<std::string> found;
};

class Files : public testing::TestWithParam<Case> {};

// Scenario: a file with one fault.
// Guarantees: the fault is found, at its line, and nothing else is.
TEST_P(Files, HaveTheirFaultFound) {
  EXPECT_THAT(Found(GetParam().text), ElementsAreArray(GetParam().found));
}

const Case kModelService[] = {
    {"Guide",
     R"(tracing:
  enabled: true
  otlpEndpoint: "http://otel-collector:4317"
  sampling:
    sampler: "parentbased_traceidratio"
    samplerArg: "1.0"
  vllm:
    collectDetailedTraces: "all"
decode:
  containers:
  - name: vllm
    modelCommand: vllmServe
)",
     {}},
    {"Off", "tracing:\n  enabled: false\n  sampling: {samplerArg: nonsense}\ndecode: {}\n", {}},
    {"SchedulerLevel",
     "tracing:\n  enabled: true\n  vllm:\n    collectDetailedTraces: scheduler\n",
     {"4 detailed-traces"}},
    {"EmptyLevel", "tracing:\n  enabled: true\n  vllm: {collectDetailedTraces: \"\"}\n", {"3 detailed-traces"}},
    {"TwoLevels", "tracing:\n  enabled: true\n  vllm: {collectDetailedTraces: \"model,worker\"}\n", {}},
    {"TextForSwitch", "tracing:\n  enabled: \"false\"\n", {"2 switch-is-text"}},
    {"UnknownKey", "tracing:\n  enabled: true\n  otelExporterEndpoint: x\n", {"3 values-unknown-key"}},
    {"UnknownInnerKey", "tracing:\n  enabled: true\n  sampling:\n    ratio: 1\n", {"4 values-unknown-key"}},
    {"OldKey", "global:\n  tracing:\n    enabled: true\n", {"3 values-old-key"}},
    {"AlwaysOn", "tracing:\n  enabled: true\n  sampling: {sampler: always_on}\n", {"3 sampler-go"}},
    {"Percent", "tracing:\n  enabled: true\n  sampling: {samplerArg: \"10\"}\n", {"3 sampler-argument"}},
    {"Zero", "tracing:\n  enabled: true\n  sampling: {samplerArg: 0}\n", {"3 sampler-argument-zero"}},
    {"NoEndpoint", "tracing:\n  enabled: true\n  otlpEndpoint: \"\"\n", {"3 endpoint-empty"}},
    {"Localhost", "tracing:\n  enabled: true\n  otlpEndpoint: http://localhost:4317\n", {"3 endpoint-localhost"}},
    {"HttpPort", "tracing:\n  enabled: true\n  otlpEndpoint: http://otel-collector:4318\n", {"3 endpoint-http-port"}},
    {"Https", "tracing:\n  enabled: true\n  otlpEndpoint: https://otel-collector:4317\n", {"3 endpoint-https"}},
    {"NoScheme", "tracing:\n  enabled: true\n  otlpEndpoint: otel-collector:4317\n", {"3 endpoint-scheme"}},
    {"NullNames", "tracing:\n  enabled: true\n  serviceNames: null\n", {"3 service-names-null"}},
    {"CustomCommand",
     "tracing: {enabled: true}\ndecode:\n  containers:\n  - modelCommand: custom\n    command: [vllm, serve]\n",
     {"4 model-command-custom"}},
    {"NoCommand",
     "tracing: {enabled: true}\ndecode:\n  containers:\n  - command: [vllm, serve]\n",
     {"4 model-command-custom"}},
    {"CustomCommandWithArguments",
     R"(tracing: {enabled: true}
decode:
  containers:
  - modelCommand: custom
    command: ["/bin/sh", "-c"]
    args:
    - |
      vllm serve m \
        --otlp-traces-endpoint http://otel-collector:4317
)",
     {}},
    {"Simulator",
     R"(tracing: {enabled: true}
decode:
  containers:
  - modelCommand: imageDefault
    image: ghcr.io/llm-d/llm-d-inference-sim:v0.7.1
)",
     {"5 simulator-arguments"}},
    {"NoPrefill",
     "tracing: {enabled: true}\nprefill:\n  containers:\n  - modelCommand: vllmServe\n",
     {"3 prefill-replicas"}},
    {"ServiceNameTwice",
     R"(tracing: {enabled: true}
decode:
  containers:
  - modelCommand: vllmServe
    env:
    - name: OTEL_SERVICE_NAME
      value: mine
)",
     {"6 service-name-twice"}},
    {"DisableLogStats",
     R"(tracing: {enabled: true}
decode:
  containers:
  - modelCommand: vllmServe
    args:
    - "--max-model-len=1024"
    - "--disable-log-stats"
)",
     {"7 disable-log-stats"}},
    {"OldProxy",
     "tracing: {enabled: true}\nrouting:\n  proxy:\n    image: ghcr.io/llm-d/llm-d-routing-sidecar:v0.5.0\n",
     {"4 image-too-old"}},
    {"NewProxy",
     "tracing: {enabled: true}\nrouting:\n  proxy:\n    image: ghcr.io/llm-d/llm-d-routing-sidecar:v0.8.0\n",
     {"4 proxy-flag"}},
};

const Case kRouter[] = {
    {"Well",
     R"(inferenceExtension:
  tracing:
    enabled: true
    otelExporterEndpoint: "http://otel-collector:4317"
    sampling: {sampler: parentbased_traceidratio, samplerArg: "0.1"}
)",
     {}},
    {"DefaultEndpoint", "inferenceExtension:\n  tracing:\n    enabled: true\n", {"3 router-endpoint-default"}},
    {"ModelServicesKey",
     "inferenceExtension:\n  tracing:\n    enabled: true\n    otlpEndpoint: http://otel-collector:4317\n",
     {"3 router-endpoint-default", "4 values-unknown-key"}},
    {"AlwaysOn",
     R"(router:
  tracing:
    enabled: true
    otelExporterEndpoint: http://otel-collector:4317
    sampling: {sampler: parentbased_always_on}
)",
     {"5 sampler-go"}},
    {"OldImage",
     R"(inferenceExtension:
  image: {name: llm-d-inference-scheduler, tag: v0.5.0}
  tracing: {enabled: true, otelExporterEndpoint: "http://otel-collector:4317"}
)",
     {"2 image-too-old"}},
    {"UpstreamImage",
     R"(inferenceExtension:
  image: {name: epp, tag: v1.4.0}
  tracing: {enabled: true, otelExporterEndpoint: "http://otel-collector:4317"}
)",
     {"2 image-upstream-epp"}},
};

const Case kManifests[] = {
    {"Well",
     R"y(apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers:
      - name: routing-proxy
        image: ghcr.io/llm-d/llm-d-routing-sidecar:v0.6.0
        env:
        - {name: OTEL_SERVICE_NAME, value: routing-proxy}
        - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://otel-collector:4317"}
        - {name: OTEL_TRACES_EXPORTER, value: otlp}
        - {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.pod.name=$(POD_NAME)"}
      containers:
      - name: vllm
        image: ghcr.io/llm-d/llm-d-cuda:v0.5.0
        args: ["serve", "m", "--otlp-traces-endpoint", "$(OTEL_EXPORTER_OTLP_ENDPOINT)"]
        env:
        - {name: OTEL_SERVICE_NAME, value: vllm-decode}
        - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://otel-collector:4317"}
        - {name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.pod.name=$(POD_NAME)"}
)y",
     {}},
    {"Nameless",
     R"(apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: vllm
        image: vllm/vllm-openai:v0.11.0
        args: ["--otlp-traces-endpoint", "http://otel-collector:4317"]
        env:
        - {name: OTEL_SERVICE_NAME, value: vllm-decode}
      - name: other
        image: busybox
)",
     {"1 pod-nameless"}},
    {"NoArgument",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.11.0
    env:
    - {name: OTEL_SERVICE_NAME, value: vllm-decode}
)",
     {"5 vllm-no-argument"}},
    {"NoServiceName",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.11.0
    args: ["--otlp-traces-endpoint=http://otel-collector:4317"]
)",
     {"5 vllm-no-service-name"}},
    {"TlsOverHttp",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.16.0
    args: ["--otlp-traces-endpoint=https://otel-collector:4318/v1/traces"]
    env:
    - {name: OTEL_SERVICE_NAME, value: vllm-decode}
    - {name: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, value: http/protobuf}
)",
     {"1 pod-nameless"}},
    {"TlsOverGrpc",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.16.0
    args: ["--otlp-traces-endpoint=https://otel-collector:4317"]
    env:
    - {name: OTEL_SERVICE_NAME, value: vllm-decode}
)",
     {"1 pod-nameless", "6 endpoint-https"}},
    {"Console",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.0
    env:
    - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://otel-collector:4317"}
)",
     {"1 pod-nameless", "5 exporter-console"}},
    {"FlagOff",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.0
    args: ["--tracing=false"]
    env:
    - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: "http://otel-collector:4317"}
    - {name: OTEL_TRACES_EXPORTER, value: otlp}
)",
     {"1 pod-nameless", "6 tracing-flag-off"}},
    {"EndpointWithoutValue",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.0
    env:
    - {name: OTEL_TRACES_EXPORTER, value: otlp}
    - name: OTEL_EXPORTER_OTLP_ENDPOINT
)",
     {"1 pod-nameless", "8 endpoint-empty"}},
    {"CommentInScript",
     R"(apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.11.0
    command: ["/bin/sh", "-c"]
    args:
    - |
      vllm serve m \
        # --otlp-traces-endpoint http://otel-collector:4317 \
        --otlp-traces-endpoint http://otel-collector:4317
    env:
    - {name: OTEL_SERVICE_NAME, value: vllm-decode}
)",
     {"1 pod-nameless", "10 script-comment"}},
    {"CollectorOnLocalhost",
     R"(apiVersion: v1
kind: ConfigMap
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          grpc:
          http: {endpoint: "0.0.0.0:4318"}
    exporters: {otlp: {endpoint: "jaeger-collector:4317", tls: {insecure: true}}}
    processors: {batch: {}}
    service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
)",
     {"8 receiver-localhost"}},
    {"LoopbackByAnyName",
     R"(apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data:
  config.yaml: |
    receivers:
      otlp:
        protocols:
          grpc: {endpoint: "[::1]:4317"}
          http: {endpoint: "0.0.0.0:4318"}
    exporters: {otlp: {endpoint: "dns:///127.0.0.2:4317", tls: {insecure: true}}}
    processors: {batch: {}}
    service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
)",
     {"9 receiver-localhost", "11 exporter-localhost"}},
    {"PartOfACollector",
     "apiVersion: v1\nkind: ConfigMap\ndata:\n  tls.yaml: |\n    receivers: {otlp: {protocols: {grpc: {tls: {}}}}}\n",
     {}},
    {"List",
     R"(apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  spec:
    containers:
    - image: vllm/vllm-openai:v0.11.0
      args: ["--otlp-traces-endpoint=http://otel-collector:4317"]
)",
     {"8 vllm-no-service-name"}},
};

const Case kCollectors[] = {
    {"Well",
     R"(receivers: {otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}}}}
processors:
  filter/drop-metrics-scraping:
    traces:
      span:
      - attributes["url.path"] == "/metrics"
      - name == "HTTP GET" and IsMatch(attributes["url.full"], "/metrics$")
  batch: {}
exporters: {otlp/jaeger: {endpoint: "jaeger-collector:4317", tls: {insecure: true}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [filter/drop-metrics-scraping, batch], exporters: [otlp/jaeger]}}}
)",
     {}},
    {"Guide",
     R"(receivers: {otlp: {protocols: {grpc: {endpoint: "0.0.0.0:4317"}}}}
processors:
  filter/drop-metrics-scraping:
    error_mode: ignore
    traces:
      span:
      - attributes["url.path"] == "/metrics"
      - name == "GET"
  batch: {}
exporters: {otlp/jaeger: {endpoint: "jaeger-collector:4317", tls: {insecure: true}}}
service: {pipelines: {traces: {receivers: [otlp], processors: [filter/drop-metrics-scraping, batch], exporters: [otlp/jaeger]}}}
)",
     {"7 filter-misses-scrapes", "8 filter-drops-get"}},
    {"NoBackend",
     R"(receivers: {otlp: {}}
exporters: {debug: {}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [debug]}
)",
     {"5 pipeline-no-backend"}},
    {"NoBatch",
     R"(receivers: {otlp: {}}
exporters: {otlp: {endpoint: "j:4317", tls: {insecure: true}}, spanloom_store: {}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [spanloom_store, otlp]}
)",
     {"5 pipeline-no-batch"}},
    {"StoreOfThisProcess",
     R"(receivers: {otlp: {}}
exporters: {spanloom_store: {}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [spanloom_store]}
)",
     {}},
    {"QueueThatGroups",
     R"(receivers: {otlp: {}}
exporters: {otlp: {endpoint: "j:4317", tls: {insecure: true}, sending_queue: {batch: {min_size: 1024}}}, spanloom_store: {}}
service:
  pipelines:
    traces: {receivers: [otlp], exporters: [spanloom_store, otlp]}
)",
     {}},
    {"NoTraces",
     R"(receivers: {otlp: {}}
exporters: {otlp: {endpoint: "j:4317", tls: {insecure: true}}}
service:
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlp]}
)",
     {"5 no-traces-pipeline"}},
    {"Tls",
     R"(receivers: {otlp: {}}
exporters: {otlp: {endpoint: "jaeger-collector:4317"}}
service: {pipelines: {traces: {receivers: [otlp], processors: [batch], exporters: [otlp]}}}
)",
     {"2 exporter-tls"}},
};

std::string NameOfCase(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}
INSTANTIATE_TEST_SUITE_P(ModelService, Files, testing::ValuesIn(kModelService), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Router, Files, testing::ValuesIn(kRouter), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Manifests, Files, testing::ValuesIn(kManifests), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Collectors, Files, testing::ValuesIn(kCollectors), NameOfCase);

// Scenario: the guide's two values files, each well, whose shares differ.
// Guarantees: the difference is found at the second one, and names the first.
TEST(ExamineFiles, ComparesTheSharesOfFiles) {
  const std::vector<FileText> files = {
      {"ms.yaml", "tracing:\n  enabled: true\n  sampling: {samplerArg: \"1.0\"}\n"},
      {"gaie.yaml",
       "inferenceExtension:\n  tracing:\n    enabled: true\n    otelExporterEndpoint: http://otel-collector:4317\n"}};
  const Examination examination = Examine(files);
  ASSERT_EQ(examination.findings.size(), 1U);
  EXPECT_EQ(examination.documents, 2U);
  EXPECT_EQ(examination.findings[0].rule, "sampling-differs");
  EXPECT_EQ(examination.findings[0].where.file, "gaie.yaml");
  EXPECT_THAT(examination.findings[0].what, HasSubstr("the scheduler keeps 0.1 of the traces"));
  EXPECT_THAT(examination.findings[0].what, HasSubstr("1 (ms.yaml:3)"));
}

TEST(ExamineFiles, SaysWhatItCannotRead) {
  EXPECT_THAT(Found("a: [\n"), ElementsAre("0 not-yaml"));
  EXPECT_THAT(Found("x: 1\n"), ElementsAre("0 nothing-known"));
  const std::vector<FileText> chart = {{"t.yaml", "a: {{ .Values.x }}\n{{- if .y }}\n"}};
  EXPECT_THAT(Examine(chart).findings.at(0).what, HasSubstr("helm template"));
}

}  // namespace
}  // namespace spanloom::doctor
