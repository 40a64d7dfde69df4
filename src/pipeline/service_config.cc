// SPDX-License-Identifier: Apache-2.0

#include "pipeline/service_config.h"

#include <absl/algorithm/container.h>
#include <absl/strings/match.h>
#include <absl/strings/str_join.h>

#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/problems.h"

namespace spanloom::pipeline {
namespace {

using config::Node;
using config::Problems;

const Node& ChildOrNull(const Node& map, std::string_view key) {
  static const Node null;
  const Node* child = map.Find(key);
  return child == nullptr ? null : *child;
}

void RefuseUnknownKeys(const Node& map, std::string_view path, std::span<const std::string_view> known,
                       Problems& problems) {
  for (const Node::Entry& entry : map.entries()) {
    if (absl::c_linear_search(known, entry.key)) continue;
    const auto join = [](std::string* out, std::string_view key) { out->append(key); };
    problems.Add(path, StrCat("has invalid keys: ", entry.key, " (valid: ", absl::StrJoin(known, ", ", join), ")"),
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
                           absl::StrJoin(table_.types(), " "), "])"),
                    entry.source);
    }
    nodes.emplace(std::move(id), node);
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

// A list of ids under `service`; each must be in `configured`. `kind` is "receiver", "exporter", ...
std::vector<ComponentId> ReadReferences(const Node& list, std::string_view path, std::string_view kind,
                                        const ComponentNodes& configured, Problems& problems) {
  std::vector<ComponentId> ids;
  if (!list.is_list() && !list.is_null()) {
    problems.Add(path, StrCat("expected a list of ", kind, " ids, got ", TypeName(list)), list.source());
  }
  for (const Node& item : list.items()) {
    const StatusOr<ComponentId> id = ComponentId::Parse(config::ReadString(item).value_or(""));
    if (!id.ok()) {
      problems.Add(path, StdView(id.status().message()), item.source());
    } else if (!configured.contains(*id)) {
      problems.Add(path, StrCat("references ", kind, " \"", id->ToString(), "\" which is not configured"),
                   item.source());
    } else if (!absl::c_linear_search(ids, *id)) {
      ids.push_back(*id);
    } else if (kind == "processor") {
      problems.Add(path, StrCat("references processor \"", id->ToString(), "\" multiple times"), item.source());
    }
  }
  return ids;
}

PipelineConfig ReadPipeline(ComponentId id, const Node::Entry& entry, const ServiceConfig& config, Problems& problems) {
  static constexpr std::string_view kKeys[] = {"receivers", "processors", "exporters"};
  const std::string path = StrCat("service::pipelines::", id.ToString());
  PipelineConfig pipeline{std::move(id), {}, {}, {}};
  ExpectMap(entry.value, path, problems);
  RefuseUnknownKeys(entry.value, path, kKeys, problems);
  const auto read = [&](std::string_view key, std::string_view kind, const ComponentNodes& configured) {
    return ReadReferences(ChildOrNull(entry.value, key), path, kind, configured, problems);
  };
  pipeline.receivers = read("receivers", "receiver", config.receivers);
  pipeline.processors = read("processors", "processor", config.processors);
  pipeline.exporters = read("exporters", "exporter", config.exporters);
  // An unresolved reference has been reported already; only a list without any is new.
  const auto require = [&](std::string_view key, std::string_view kind) {
    if (!ChildOrNull(entry.value, key).items().empty()) return;
    problems.Add(path, StrCat("must have at least one ", kind), entry.source);
  };
  require("receivers", "receiver");
  require("exporters", "exporter");
  return pipeline;
}

void ReadPipelines(const Node& pipelines, ServiceConfig& config, Problems& problems) {
  static constexpr std::string_view kOtherSignals[] = {"metrics", "logs", "profiles"};
  ExpectMap(pipelines, "service::pipelines", problems);
  if (pipelines.entries().empty()) {
    problems.Add("service::pipelines", "service must have at least one pipeline", pipelines.source());
  }
  for (const Node::Entry& entry : pipelines.entries()) {
    StatusOr<ComponentId> id = ComponentId::Parse(entry.key);
    if (!id.ok()) {
      problems.Add("service::pipelines", StdView(id.status().message()), entry.source);
    } else if (absl::c_linear_search(kOtherSignals, id->type)) {
      problems.Add(
          "service::pipelines",
          StrCat(id->type, " pipelines are not supported by this version: remove service.pipelines.", entry.key),
          entry.source);
    } else if (id->type != "traces") {
      problems.Add("service::pipelines",
                   StrCat("in \"", entry.key, "\" id: unknown pipeline signal: \"", id->type, "\" (valid: traces)"),
                   entry.source);
    } else {
      config.pipelines.push_back(ReadPipeline(*std::move(id), entry, config, problems));
    }
  }
}

struct LogsOptions {
  std::string level = "info";
  std::string encoding = "console";
  void Declare(config::OptionsReader& r) {
    r.Field("level", level, "Lowest level that is logged: debug, info, warn or error.");
    r.Field("encoding", encoding, "console (one line of text) or json.");
  }
  [[nodiscard]] Status Validate() const {
    RETURN_IF_ERROR(ParseLogLevel(level).status());
    return ParseLogFormat(encoding).status();
  }
};

struct MetricsOptions {
  std::string level = "normal";
  std::string address;
  void Declare(config::OptionsReader& r) {
    r.Field("level", level, "none switches the /metrics page off; basic, normal and detailed serve the same page.");
    r.Field("address", address, "Address of the /metrics page; port 8888 if it is left out.");
  }
  [[nodiscard]] bool enabled() const { return !absl::EqualsIgnoreCase(level, "none"); }
  [[nodiscard]] Status Validate() const {
    for (const char* valid : {"none", "basic", "normal", "detailed"}) {
      if (absl::EqualsIgnoreCase(level, valid)) return absl::OkStatus();
    }
    return absl::InvalidArgumentError(StrCat("unknown level \"", level, "\" (valid: none, basic, normal, detailed)"));
  }
};

struct TelemetryOptions {
  LogsOptions logs;
  MetricsOptions metrics;
  void Declare(config::OptionsReader& r) {
    r.Field("logs", logs, "The log of this process.");
    r.Field("metrics", metrics, "The metrics of this process.");
    r.Unsupported("traces", "remove service.telemetry.traces");
    r.Unsupported("resource", "remove service.telemetry.resource");
  }
};

TelemetryConfig ReadTelemetry(const Node& node, Problems& problems) {
  const auto options = config::ReadOptions<TelemetryOptions>(node, "service::telemetry", problems);
  TelemetryConfig telemetry;
  telemetry.log_level = ParseLogLevel(options.logs.level).value_or(telemetry.log_level);
  telemetry.log_format = ParseLogFormat(options.logs.encoding).value_or(telemetry.log_format);
  telemetry.metrics_enabled = options.metrics.enabled();
  telemetry.metrics_endpoint = options.metrics.address;
  return telemetry;
}

void ReadService(const Node& service, ServiceConfig& config, Problems& problems) {
  static constexpr std::string_view kKeys[] = {"extensions", "pipelines", "telemetry"};
  ExpectMap(service, "service", problems);
  RefuseUnknownKeys(service, "service", kKeys, problems);
  config.enabled_extensions = ReadReferences(ChildOrNull(service, "extensions"), "service::extensions", "extension",
                                             config.extensions, problems);
  ReadPipelines(ChildOrNull(service, "pipelines"), config, problems);
  config.telemetry = ReadTelemetry(ChildOrNull(service, "telemetry"), problems);
}

void ReadComponents(const Node& root, const Registry& registry, ServiceConfig& config, Problems& problems) {
  const auto read = [&](std::string_view section, const auto& table) {
    return SectionReader(section, table, config, problems).Read(ChildOrNull(root, section));
  };
  config.receivers = read("receivers", registry.receivers);
  config.processors = read("processors", registry.processors);
  config.exporters = read("exporters", registry.exporters);
  config.extensions = read("extensions", registry.extensions);
  const Node& connectors = ChildOrNull(root, "connectors");
  for (const Node::Entry& entry : connectors.entries()) {
    problems.Add("connectors", StrCat("unknown type: \"", entry.key, "\" (this version has no connectors)"),
                 entry.source);
  }
}

}  // namespace

StatusOr<ServiceConfig> ParseServiceConfig(const Node& root, const Registry& registry) {
  static constexpr std::string_view kKeys[] = {"receivers",  "processors", "exporters",
                                               "connectors", "extensions", "service"};
  if (root.is_null() || (root.is_map() && root.entries().empty())) {
    return absl::InvalidArgumentError("empty configuration: service::pipelines must have at least one pipeline");
  }
  Problems problems;
  ServiceConfig config;
  ExpectMap(root, "", problems);
  RefuseUnknownKeys(root, "configuration", kKeys, problems);
  ReadComponents(root, registry, config, problems);
  if (config.receivers.empty() && problems.empty()) problems.Add("no receiver configuration specified in config");
  if (config.exporters.empty() && problems.empty()) problems.Add("no exporter configuration specified in config");
  ReadService(ChildOrNull(root, "service"), config, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  return config;
}

}  // namespace spanloom::pipeline
