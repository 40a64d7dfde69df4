// SPDX-License-Identifier: Apache-2.0

#include "doctor/collector_rules.h"

#include <absl/strings/str_replace.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "doctor/document.h"
#include "doctor/switches.h"
#include "doctor/tracing_settings.h"

namespace spanloom::doctor {
namespace {

using config::Node;

// What a filter must drop besides the guide's conditions: the client's half of a scrape, which current schedulers make
// and which has nothing but its URL.
constexpr std::string_view kScrapeClient =
    R"(- name == "HTTP GET" and kind == SPAN_KIND_CLIENT and IsMatch(attributes["url.full"], "/metrics$"))";

std::string_view TypeOf(std::string_view id) {
  return id.substr(0, id.find('/'));
}

// A condition without its blanks, to be compared.
std::string Squeezed(std::string_view condition) {
  return absl::StrReplaceAll(AbslView(condition), {{" ", ""}, {"'", "\""}});
}

// The conditions of a filter for spans, in the old place and the new one.
std::vector<const Node*> SpanConditions(const Node& filter) {
  std::vector<const Node*> conditions;
  for (const Node* list : {At(filter, {"traces", "span"}), filter.Find("trace_conditions")}) {
    if (list == nullptr) continue;
    for (const Node& item : list->items()) {
      if (item.is_scalar()) conditions.push_back(&item);
      for (const Node& inner : NodesAt(item, "conditions")) conditions.push_back(&inner);
    }
  }
  return conditions;
}

void CheckFilter(const Node& filter, Findings& findings) {
  bool drops_scrapes = false;
  bool drops_client_half = false;
  const Node* first = nullptr;
  for (const Node* condition : SpanConditions(filter)) {
    if (first == nullptr) first = condition;
    const std::string text = Squeezed(condition->text());
    if (text == R"(name=="GET")" || text == R"(span.name=="GET")") {
      findings.Error("filter-drops-get", condition->source(),
                     "name == \"GET\" drops every span of that name, not only scrapes: each client call of a Java or "
                     "Python service, and its children lose their parent",
                     R"(- name == "GET" and attributes["http.route"] == "/metrics")");
    }
    if (text.find("/metrics") == std::string::npos) continue;
    drops_scrapes = true;
    drops_client_half = drops_client_half || text.find("url.full") != std::string::npos;
  }
  if (drops_scrapes && !drops_client_half) {
    findings.Warning(
        "filter-misses-scrapes", first->source(),
        "the filter drops the server's half of a scrape of /metrics; current schedulers make a second span, "
        "HTTP GET, which has url.full alone: some 20 a second for each pod come through as traces of their own",
        std::string(kScrapeClient));
  }
}

void CheckReceiver(const Node& receiver, std::string_view id, std::string_view default_host, Findings& findings) {
  const Node* protocols = receiver.Find("protocols");
  if (protocols == nullptr) return;
  for (const Node::Entry& protocol : protocols->entries()) {
    const Node* endpoint = protocol.value.Find("endpoint");
    const std::string_view text = endpoint == nullptr ? std::string_view() : std::string_view(endpoint->text());
    if (!IsLocal(text.empty() ? default_host : text)) continue;
    findings.Error("receiver-localhost", endpoint == nullptr ? protocol.source : endpoint->source(),
                   StrCat(id, " listens on ", text.empty() ? StrCat(default_host, " (the default)") : std::string(text),
                          ", where no other pod can reach it"),
                   StrCat("endpoint: 0.0.0.0:", protocol.key == "grpc" ? "4317" : "4318"));
  }
}

void CheckExporter(const Node& exporter, std::string_view id, bool is_in_pod, Findings& findings) {
  const Node* endpoint = exporter.Find("endpoint");
  if (endpoint == nullptr || !endpoint->is_scalar()) return;
  const std::string_view text = endpoint->text();
  if (is_in_pod && IsLocal(text)) {
    findings.Warning("exporter-localhost", endpoint->source(),
                     StrCat(id, " sends to ", text, ", which is the collector's own pod"),
                     "endpoint: jaeger-collector:4317");
  }
  const bool is_grpc = TypeOf(id) == "otlp" || TypeOf(id) == "otlp_grpc";
  const bool is_plain = At(exporter, {"tls", "insecure"}) != nullptr || text.starts_with("http://");
  if (is_grpc && !is_plain && exporter.Find("tls") == nullptr) {
    findings.Warning(
        "exporter-tls", endpoint->source(),
        StrCat(id, " speaks TLS unless it is told otherwise; Jaeger and Tempo in the cluster do not by default"),
        "tls:\n  insecure: true");
  }
}

// Whether an exporter needs no `batch` in front of it: its queue groups what it sends, or it sends nothing over a
// network.
bool GroupsItself(const Node& config, std::string_view id) {
  const std::string_view type = TypeOf(id);
  if (type == "spanloom_store" || type == "debug" || type == "nop") return true;
  const Node* exporter = At(config, {"exporters", id});
  return exporter != nullptr && At(*exporter, {"sending_queue", "batch"}) != nullptr;
}

bool IsGrouped(const Node& config, const Node& pipeline) {
  const std::vector<Node>& processors = NodesAt(pipeline, "processors");
  const std::vector<Node>& exporters = NodesAt(pipeline, "exporters");
  return std::any_of(processors.begin(), processors.end(),
                     [](const Node& id) { return TypeOf(id.text()) == "batch"; }) ||
         std::all_of(exporters.begin(), exporters.end(),
                     [&config](const Node& id) { return GroupsItself(config, id.text()); });
}

// Without them a pipeline is refused; what a pipeline of traces lacks is looked at here.
void CheckPipelines(const Node& config, Findings& findings) {
  const Node* pipelines = At(config, {"service", "pipelines"});
  bool has_traces = false;
  if (pipelines == nullptr) return;
  for (const Node::Entry& pipeline : pipelines->entries()) {
    if (TypeOf(pipeline.key) != "traces") continue;
    has_traces = true;
    if (!IsGrouped(config, pipeline.value)) {
      findings.Note("pipeline-no-batch", pipeline.source,
                    StrCat(pipeline.key, " has no batch: what comes in small requests goes on in as many"), "- batch");
    }
    const std::vector<Node>& exporters = NodesAt(pipeline.value, "exporters");
    const bool only_shows = !exporters.empty() && std::all_of(exporters.begin(), exporters.end(), [](const Node& id) {
      return TypeOf(id.text()) == "debug" || TypeOf(id.text()) == "nop";
    });
    if (only_shows) {
      findings.Warning("pipeline-no-backend", pipeline.source,
                       StrCat(pipeline.key, " sends to no backend: its spans are shown or dropped"));
    }
  }
  if (!has_traces) findings.Error("no-traces-pipeline", pipelines->source(), "there is no pipeline of traces");
}

}  // namespace

void CheckCollector(const Node& config, bool is_in_pod, Findings& findings, std::string_view default_host) {
  const auto each = [&](std::string_view section, auto check) {
    const Node* part = config.Find(section);
    if (part == nullptr) return;
    for (const Node::Entry& entry : part->entries()) check(entry);
  };
  each("receivers", [&](const Node::Entry& entry) {
    if (is_in_pod && TypeOf(entry.key) == "otlp") CheckReceiver(entry.value, entry.key, default_host, findings);
  });
  each("processors", [&](const Node::Entry& entry) {
    if (TypeOf(entry.key) == "filter") CheckFilter(entry.value, findings);
  });
  each("exporters", [&](const Node::Entry& entry) { CheckExporter(entry.value, entry.key, is_in_pod, findings); });
  CheckPipelines(config, findings);
}

}  // namespace spanloom::doctor
