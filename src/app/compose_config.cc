// SPDX-License-Identifier: Apache-2.0

#include "app/compose_config.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "config/merge.h"
#include "config/yaml.h"
#include "net/host_port.h"

namespace spanloom::app {
namespace {

using config::Node;

constexpr std::string_view kStore = "spanloom_store";
constexpr std::string_view kReceiver = "otlp";
constexpr std::string_view kPipeline = "traces";

// Where map `node` has `path`; null if a step is missing.
const Node* Walk(const Node* node, std::initializer_list<std::string_view> path) {
  for (const std::string_view key : path) {
    if (node == nullptr) return nullptr;
    node = node->Find(key);
  }
  return node;
}

bool HasType(std::string_view id, std::string_view type) {
  return id == type || absl::StartsWith(AbslView(id), StrCat(type, "/"));
}

bool Lists(const Node* list, const std::function<bool(std::string_view)>& wanted) {
  if (list == nullptr) return false;
  return std::any_of(list->items().begin(), list->items().end(), [&](const Node& item) { return wanted(item.text()); });
}

// The map with `key` set to `value`, or without it if `value` is null.
Node WithEntry(const Node& map, std::string_view key, const Node* value) {
  std::vector<Node::Entry> entries;
  bool placed = false;
  for (const Node::Entry& entry : map.entries()) {
    if (entry.key != key) {
      entries.push_back(entry);
    } else if (value != nullptr) {
      entries.push_back({.key = entry.key, .source = entry.source, .value = *value});
      placed = true;
    }
  }
  if (value != nullptr && !placed)
    entries.push_back({.key = std::string(key), .source = value->source(), .value = *value});
  return Node::Map(std::move(entries), map.source());
}

// Replaces what stands at `path`, whose steps but the last exist, by `value`; null takes it away.
Node ReplaceAt(const Node& map, std::span<const std::string_view> path, const Node* value) {
  const std::string_view key = path.front();
  if (path.size() == 1) return WithEntry(map, key, value);
  const Node* inner = map.Find(key);
  CHECK(inner != nullptr);
  const Node changed = ReplaceAt(*inner, path.subspan(1), value);
  return WithEntry(map, key, &changed);
}

Node Replace(const Node& map, std::initializer_list<std::string_view> path, const Node* value) {
  return ReplaceAt(map, {path.begin(), path.size()}, value);
}

// Every "host:port" written below `node`.
void CollectPorts(const Node& node, std::vector<std::string>& ports) {
  if (node.is_scalar()) {
    const size_t colon = node.text().rfind(':');
    if (colon != std::string::npos) ports.push_back(node.text().substr(colon + 1));
  }
  for (const Node& item : node.items()) CollectPorts(item, ports);
  for (const Node::Entry& entry : node.entries()) CollectPorts(entry.value, ports);
}

bool SharesPort(const Node& receiver, const Node& built_in_receiver) {
  std::vector<std::string> ports;
  std::vector<std::string> built_in_ports;
  CollectPorts(receiver, ports);
  CollectPorts(built_in_receiver, built_in_ports);
  return std::find_first_of(ports.begin(), ports.end(), built_in_ports.begin(), built_in_ports.end()) != ports.end();
}

// The id of the user's receiver that stands on a port of the built-in one; "" if none does.
std::string ReceiverOnSamePort(const Node& user, const Node& built_in) {
  const Node* receivers = user.Find("receivers");
  if (receivers == nullptr) return "";
  const Node& built_in_receiver = *Walk(&built_in, {"receivers", kReceiver});
  for (const Node::Entry& entry : receivers->entries()) {
    if (entry.key != kReceiver && SharesPort(entry.value, built_in_receiver)) return entry.key;
  }
  return "";
}

bool UsesBuiltInReceiver(const Node& pipeline) {
  return Lists(pipeline.Find("receivers"), [](std::string_view id) { return id == kReceiver; });
}

// Takes the built-in pipeline, and where it must the receiver, out of `built_in`.
Node GiveWay(const Node& user, Node built_in, std::vector<std::string>& notes) {
  const std::string rival = ReceiverOnSamePort(user, built_in);
  if (!rival.empty()) {
    notes.push_back(StrCat("the built-in receiver otlp gives way to ", rival, ", which has its port"));
    built_in = Replace(built_in, {"receivers", kReceiver}, nullptr);
    return Replace(built_in, {"service", "pipelines", kPipeline}, nullptr);
  }
  const Node* pipelines = Walk(&user, {"service", "pipelines"});
  if (pipelines == nullptr) return built_in;
  for (const Node::Entry& entry : pipelines->entries()) {
    if (entry.key == kPipeline || UsesBuiltInReceiver(entry.value)) {
      return Replace(built_in, {"service", "pipelines", kPipeline}, nullptr);
    }
  }
  return built_in;
}

// service.extensions: the built-in ones, then the user's others.
Node JoinExtensions(const Node& merged, const Node& built_in) {
  const Node* merged_list = Walk(&merged, {"service", "extensions"});
  std::vector<Node> extensions = Walk(&built_in, {"service", "extensions"})->items();
  const Node built_in_list = Node::List(extensions, {});
  if (merged_list == nullptr || !merged_list->is_list())
    return Replace(merged, {"service", "extensions"}, &built_in_list);
  for (const Node& item : merged_list->items()) {
    if (!Lists(&built_in_list, [&](std::string_view id) { return id == item.text(); })) extensions.push_back(item);
  }
  const Node joined = Node::List(std::move(extensions), merged_list->source());
  return Replace(merged, {"service", "extensions"}, &joined);
}

Node AppendStore(Node root, std::vector<std::string>& notes) {
  const Node* pipelines = Walk(&root, {"service", "pipelines"});
  if (pipelines == nullptr) return root;
  const std::vector<Node::Entry> entries = pipelines->entries();
  for (const auto& [name, source, pipeline] : entries) {
    const Node* exporters = pipeline.Find("exporters");
    if (!HasType(name, kPipeline) || exporters == nullptr || !exporters->is_list()) continue;
    if (Lists(exporters, [](std::string_view id) { return HasType(id, kStore); })) continue;
    std::vector<Node> items = exporters->items();
    items.push_back(Node::Scalar(std::string(kStore), Node::Style::kPlain, exporters->source()));
    const Node list = Node::List(std::move(items), exporters->source());
    root = Replace(root, {"service", "pipelines", name, "exporters"}, &list);
    notes.push_back(StrCat("spanloom_store was appended to pipeline ", name, " (--no-store-append leaves it out)"));
  }
  return root;
}

}  // namespace

std::string BuiltInConfig(std::string_view listen_host) {
  return StrCat(R"(receivers:
  otlp:
    protocols:
      grpc:
        endpoint: ")",
                net::JoinHostPort(listen_host, 4317), R"("
      http:
        endpoint: ")",
                net::JoinHostPort(listen_host, 4318), R"("
# Both spans of each scrape of Prometheus, and nothing else: the scraped server's, and that of the client in the same
# process that llm-d's servers make of it.
processors:
  filter/scrapes:
    error_mode: ignore
    traces:
      span:
        - kind == SPAN_KIND_SERVER and (attributes["url.path"] == "/metrics" or attributes["http.route"] == "/metrics" or attributes["http.target"] == "/metrics")
        - kind == SPAN_KIND_CLIENT and name == "HTTP GET" and IsMatch(attributes["url.full"], "^https?://[^/]*/metrics([?].*)?$")
exporters:
  spanloom_store:
extensions:
  health_check:
    endpoint: ")",
                net::JoinHostPort(listen_host, 13133), R"("
  spanloom_query:
    endpoint: ")",
                net::JoinHostPort(listen_host, 16686), R"("
service:
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: ")",
                listen_host, R"("
                port: 8888
  extensions: [health_check, spanloom_query]
  pipelines:
    traces:
      receivers: [otlp]
      processors: [filter/scrapes]
      exporters: [spanloom_store]
)");
}

ComposedConfig ComposeConfig(const Node& user, const ComposeOptions& options) {
  const StatusOr<Node> built_in = config::ParseYaml(BuiltInConfig(options.listen_host), "built-in configuration");
  CHECK(built_in.ok());
  ComposedConfig composed;
  composed.root = config::Merge(GiveWay(user, *built_in, composed.notes), user);
  const Node* service = composed.root.Find("service");
  if (service != nullptr && service->is_map()) composed.root = JoinExtensions(composed.root, *built_in);
  if (options.append_store) composed.root = AppendStore(std::move(composed.root), composed.notes);
  return composed;
}

}  // namespace spanloom::app
