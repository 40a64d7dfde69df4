// SPDX-License-Identifier: Apache-2.0

#include "pipeline/service_config.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_join.h>

#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/nearest.h"
#include "config/problems.h"
#include "pipeline/extension_references.h"
#include "pipeline/pipeline_graph.h"
#include "pipeline/pipeline_references.h"

namespace spanloom::pipeline {
namespace {

using config::Node;
using config::Problems;

const Node& ChildOrNull(const Node& map, std::string_view key) {
  static const Node null;
  const Node* child = map.Find(key);
  return child == nullptr ? null : *child;
}

// A key whose value is read here rather than by an options struct.
struct KeyDoc {
  std::string_view name;
  std::string_view type;
  std::string_view words;
};

constexpr KeyDoc kRootKeys[] = {
    {"receivers", "map of components", "Where spans, metrics and logs come in."},
    {"processors", "map of components", "What happens to spans on the way."},
    {"exporters", "map of components", "Where spans go."},
    {"connectors", "map of components", "Joins of pipelines: each ends some and begins others."},
    {"extensions", "map of components", "What stands beside the pipelines."},
    {"service", "section", "Which components run, and how."},
};

constexpr KeyDoc kServiceKeys[] = {
    {"extensions", "list of ids", "The extensions that run."},
    {"pipelines", "section", "The pipelines; at least one."},
    {"telemetry", "section", "How the process reports on itself."},
};

constexpr KeyDoc kPipelineKeys[] = {
    {"receivers", "list of ids",
     "Receivers and connectors that feed it; at least one. One may feed several pipelines."},
    {"processors", "list of ids", "Processors, in the order in which spans pass them; each at most once."},
    {"exporters", "list of ids", "Exporters and connectors that each get every span; at least one."},
};

std::vector<std::string> Names(std::span<const KeyDoc> keys) {
  std::vector<std::string> names;
  for (const KeyDoc& key : keys) names.emplace_back(key.name);
  return names;
}

std::vector<config::OptionDoc> Describe(std::span<const KeyDoc> keys) {
  std::vector<config::OptionDoc> docs;
  for (const KeyDoc& key : keys) {
    docs.push_back({.name = std::string(key.name), .type = std::string(key.type), .words = std::string(key.words)});
  }
  return docs;
}

void RefuseUnknownKeys(const Node& map, std::string_view path, std::span<const KeyDoc> keys, Problems& problems) {
  const std::vector<std::string> known = Names(keys);
  for (const Node::Entry& entry : map.entries()) {
    if (absl::c_linear_search(known, entry.key)) continue;
    problems.Add(path,
                 StrCat("has invalid keys: ", entry.key, " (valid: ", absl::StrJoin(known, ", "),
                        config::DidYouMean(entry.key, known), ")"),
                 entry.source);
  }
}

bool ExpectMap(const Node& node, std::string_view path, Problems& problems) {
  if (node.is_map()) return true;
  if (!node.is_null()) problems.Add(path, StrCat("expected a map, got ", TypeName(node)), node.source());
  return false;
}

// One of receivers, processors, ...: ids parsed, types looked up, options checked.
template <typename Table>
class SectionReader {
 public:
  SectionReader(std::string_view section, const Table& table, ServiceConfig& config, Problems& problems)
      : section_(section), table_(table), config_(config), problems_(problems) {}

  ComponentNodes Read(const Node& section) {
    ComponentNodes nodes;
    if (!ExpectMap(section, section_, problems_)) return nodes;
    for (const Node::Entry& entry : section.entries()) {
      if (auto id = ReadId(entry)) ReadComponent(*std::move(id), entry, nodes);
    }
    return nodes;
  }

 private:
  std::optional<ComponentId> ReadId(const Node::Entry& entry) {
    StatusOr<ComponentId> id = ComponentId::Parse(entry.key);
    if (id.ok()) return *std::move(id);
    problems_.Add(section_, StdView(id.status().message()), entry.source);
    return std::nullopt;
  }

  void ReadComponent(ComponentId id, const Node::Entry& entry, ComponentNodes& nodes) {
    // A component without options is written `batch:`; its place is that of its key.
    const Node node = entry.value.is_null() ? Node::Null(entry.source) : entry.value;
    if (const auto* factory = table_.Find(id.type)) {
      WarnOfAlias(id.type);
      factory->check(node, StrCat(section_, "::", id.ToString()), problems_);
    } else {
      problems_.Add(section_,
                    StrCat("unknown type: \"", id.type, "\" for id: \"", id.ToString(), "\" (valid values: [",
                           absl::StrJoin(table_.types(), " "), "]", config::DidYouMean(id.type, table_.types()), ")"),
                    entry.source);
    }
    const auto [place, is_new] = nodes.emplace(std::move(id), node);
    if (is_new) return;
    problems_.Add(section_,
                  StrCat("duplicate name \"", place->first.ToString(), "\": another key differs in spaces alone"),
                  entry.source);
  }

  void WarnOfAlias(const std::string& type) {
    const std::string_view canonical = table_.Canonical(type);
    if (canonical == type || !warned_.insert(type).second) return;
    config_.warnings.push_back(
        StrCat(section_, ": \"", type, "\" alias is deprecated; use \"", canonical, "\" instead"));
  }

  const std::string_view section_;
  const Table& table_;
  ServiceConfig& config_;
  Problems& problems_;
  std::set<std::string> warned_;
};

std::vector<std::string> IdTexts(const ComponentNodes& components) {
  std::vector<std::string> texts;
  for (const auto& [id, node] : components) texts.push_back(id.ToString());
  return texts;
}

// A list of ids under `service`; each must be in `configured` or `connectors`. `kind` is "receiver", "exporter", ...
std::vector<ComponentId> ReadReferences(const Node& list, std::string_view path, std::string_view kind,
                                        const ComponentNodes& configured, const ComponentNodes& connectors,
                                        Problems& problems) {
  std::vector<ComponentId> ids;
  if (!list.is_list() && !list.is_null()) {
    problems.Add(path, StrCat("expected a list of ", kind, " ids, got ", TypeName(list)), list.source());
  }
  for (const Node& item : list.items()) {
    const StatusOr<ComponentId> id = ComponentId::Parse(config::ReadString(item).value_or(""));
    if (!id.ok()) {
      problems.Add(path, StdView(id.status().message()), item.source());
    } else if (!configured.contains(*id) && !connectors.contains(*id)) {
      const std::string text = id->ToString();
      const std::vector<std::string> known = IdTexts(configured);
      problems.Add(path,
                   StrCat("references ", kind, " \"", text, "\" which is not configured (configured: ",
                          known.empty() ? "none" : absl::StrJoin(known, ", "), config::DidYouMean(text, known), ")"),
                   item.source());
    } else if (!absl::c_linear_search(ids, *id)) {
      ids.push_back(*id);
    } else if (kind == "processor") {
      problems.Add(path, StrCat("references processor \"", id->ToString(), "\" multiple times"), item.source());
    }
  }
  return ids;
}

PipelineConfig ReadPipeline(ComponentId id, otlp::Signal signal, const Node::Entry& entry, const ServiceConfig& config,
                            Problems& problems) {
  const std::string path = StrCat("service::pipelines::", id.ToString());
  PipelineConfig pipeline{std::move(id), signal, {}, {}, {}};
  ExpectMap(entry.value, path, problems);
  RefuseUnknownKeys(entry.value, path, kPipelineKeys, problems);
  const auto read = [&](std::string_view key, std::string_view kind, const ComponentNodes& configured,
                        const ComponentNodes& connectors) {
    return ReadReferences(ChildOrNull(entry.value, key), path, kind, configured, connectors, problems);
  };
  pipeline.receivers = read("receivers", "receiver", config.receivers, config.connectors);
  pipeline.processors = read("processors", "processor", config.processors, {});
  pipeline.exporters = read("exporters", "exporter", config.exporters, config.connectors);
  // An unresolved reference has been reported already; only a list without any is new.
  const auto require = [&](std::string_view key, std::string_view kind) {
    const Node* list = entry.value.Find(key);
    if (list != nullptr && !list->items().empty()) return;
    problems.Add(path, StrCat("must have at least one ", kind), list == nullptr ? entry.source : list->source());
  };
  require("receivers", "receiver");
  require("exporters", "exporter");
  return pipeline;
}

// Adds a problem for each of `ids` that is no connector and cannot be given the pipeline's signal.
template <typename Table>
void CheckSignal(const PipelineConfig& pipeline, std::string_view kind, const std::vector<ComponentId>& ids,
                 const Table& table, const ComponentNodes& configured, Problems& problems) {
  for (const ComponentId& id : ids) {
    const auto node = configured.find(id);
    const auto* factory = table.Find(id.type);
    if (node == configured.end() || factory == nullptr || factory->carries.Takes(pipeline.signal)) continue;
    const std::string_view signal = otlp::SignalText(pipeline.signal);
    problems.Add(
        StrCat("service::pipelines::", pipeline.id.ToString()),
        StrCat(kind, " \"", id.ToString(), "\": telemetry type is not supported: it looks into what it is given, ",
               "and not into ", signal, "; remove it from this pipeline"),
        node->second.source());
  }
}

void CheckSignals(const ServiceConfig& config, const Registry& registry, Problems& problems) {
  for (const PipelineConfig& pipeline : config.pipelines) {
    CheckSignal(pipeline, "receiver", pipeline.receivers, registry.receivers, config.receivers, problems);
    CheckSignal(pipeline, "processor", pipeline.processors, registry.processors, config.processors, problems);
    CheckSignal(pipeline, "exporter", pipeline.exporters, registry.exporters, config.exporters, problems);
  }
}

void ReadPipelines(const Node& pipelines, ServiceConfig& config, Problems& problems) {
  ExpectMap(pipelines, "service::pipelines", problems);
  if (pipelines.entries().empty()) {
    problems.Add("service::pipelines", "service must have at least one pipeline", pipelines.source());
  }
  for (const Node::Entry& entry : pipelines.entries()) {
    StatusOr<ComponentId> id = ComponentId::Parse(entry.key);
    if (!id.ok()) {
      problems.Add("service::pipelines", StdView(id.status().message()), entry.source);
    } else if (id->type == "profiles") {
      problems.Add(
          "service::pipelines",
          StrCat(id->type, " pipelines are not supported by this version: remove service.pipelines.", entry.key),
          entry.source);
    } else if (const auto signal = otlp::ParseSignal(id->type)) {
      config.pipelines.push_back(ReadPipeline(*std::move(id), *signal, entry, config, problems));
    } else {
      static const std::string signals[] = {"traces", "metrics", "logs"};
      problems.Add("service::pipelines",
                   StrCat("in \"", entry.key, "\" id: unknown pipeline signal: \"", id->type,
                          "\" (valid: ", absl::StrJoin(signals, ", "), config::DidYouMean(id->type, signals), ")"),
                   entry.source);
    }
  }
}

void ReadService(const Node& service, ServiceConfig& config, Problems& problems) {
  ExpectMap(service, "service", problems);
  RefuseUnknownKeys(service, "service", kServiceKeys, problems);
  config.enabled_extensions = ReadReferences(ChildOrNull(service, "extensions"), "service::extensions", "extension",
                                             config.extensions, {}, problems);
  ReadPipelines(ChildOrNull(service, "pipelines"), config, problems);
  config.telemetry = ReadTelemetry(ChildOrNull(service, "telemetry"), "service::telemetry", problems);
}

void ReadComponents(const Node& root, const Registry& registry, ServiceConfig& config, Problems& problems) {
  const auto read = [&](std::string_view section, const auto& table) {
    return SectionReader(section, table, config, problems).Read(ChildOrNull(root, section));
  };
  config.receivers = read("receivers", registry.receivers);
  config.processors = read("processors", registry.processors);
  config.exporters = read("exporters", registry.exporters);
  config.extensions = read("extensions", registry.extensions);
  config.connectors = read("connectors", registry.connectors);
}

}  // namespace

std::vector<config::OptionDoc> DescribeRoot() {
  return Describe(kRootKeys);
}

std::vector<config::OptionDoc> DescribeService() {
  using Kind = config::OptionDoc::Kind;
  std::vector<config::OptionDoc> docs = Describe(kServiceKeys);
  for (config::OptionDoc& doc : docs) {
    if (doc.type == "section") doc.kind = Kind::kSection;
    if (doc.name == "telemetry") doc.children = DescribeTelemetry();
    if (doc.name != "pipelines") continue;
    doc.kind = Kind::kSection;
    doc.children = {{.name = "traces/NAME",
                     .kind = Kind::kSection,
                     .type = "section",
                     .words = "One pipeline; `traces` alone is a name too. Likewise `metrics/NAME` and `logs/NAME`, of "
                              "components that look into nothing.",
                     .children = Describe(kPipelineKeys)}};
  }
  return docs;
}

StatusOr<ServiceConfig> ParseServiceConfig(const Node& root, const Registry& registry) {
  if (root.is_null() || (root.is_map() && root.entries().empty())) {
    return absl::InvalidArgumentError("empty configuration: service::pipelines must have at least one pipeline");
  }
  Problems problems;
  ServiceConfig config;
  ExpectMap(root, "", problems);
  RefuseUnknownKeys(root, "configuration", kRootKeys, problems);
  ReadComponents(root, registry, config, problems);
  if (config.receivers.empty() && problems.empty()) problems.Add("no receiver configuration specified in config");
  if (config.exporters.empty() && problems.empty()) problems.Add("no exporter configuration specified in config");
  ReadService(ChildOrNull(root, "service"), config, problems);
  CheckSignals(config, registry, problems);
  CheckConnectors(config, registry, problems);
  CheckPipelineReferences(config, registry, problems);
  CheckExtensionReferences(config, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  return config;
}

}  // namespace spanloom::pipeline
