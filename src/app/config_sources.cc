// SPDX-License-Identifier: Apache-2.0

#include "app/config_sources.h"

#include <cstdlib>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "app/config_fetch.h"
#include "base/log.h"
#include "base/read_file.h"
#include "base/text.h"
#include "config/load.h"
#include "config/location.h"
#include "config/yaml.h"

namespace spanloom::app {
namespace {

std::optional<std::string> EnvironmentVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

// Texts at URLs, each fetched once, so that one load has one state of each.
class FetchedTexts {
 public:
  explicit FetchedTexts(std::stop_token hurry) : hurry_(std::move(hurry)) {}

  StatusOr<std::string> Get(const std::string& url) {
    const auto found = texts_.find(url);
    if (found != texts_.end()) return found->second;
    return texts_.emplace(url, FetchText(url, {.proxies = net::ProxyRules::FromEnvironment(), .hurry = hurry_}))
        .first->second;
  }

 private:
  const std::stop_token hurry_;
  std::map<std::string, StatusOr<std::string>> texts_;
};

}  // namespace

StatusOr<std::string> ReadConfigurationFile(const std::string& path) {
  StatusOr<std::string> content = ReadFile(path, config::kYamlBytesMax);
  if (content.ok()) return content;
  if (absl::IsOutOfRange(content.status())) {
    return absl::InvalidArgumentError(
        StrCat("configuration file ", path, " is larger than ", config::kYamlBytesMax, " bytes"));
  }
  return Status(content.status().code(),
                StrCat("cannot read configuration file ", path, ": ", StdView(content.status().message())));
}

StatusOr<config::Node> ReadConfiguration(std::span<const std::string> locations, std::span<const std::string> settings,
                                         std::stop_token hurry) {
  FetchedTexts fetched(std::move(hurry));
  const config::ExpansionSources sources{.environment = EnvironmentVariable,
                                         .read_file = ReadConfigurationFile,
                                         .fetch = [&](const std::string& url) { return fetched.Get(url); }};
  std::vector<config::ConfigText> texts;
  for (const std::string& location : locations) {
    ASSIGN_OR_RETURN(config::ConfigText text, config::ReadLocation(location, sources));
    texts.push_back(std::move(text));
  }
  ASSIGN_OR_RETURN(config::Expansion expansion, config::Load(texts, settings, sources));
  for (const std::string& warning : expansion.warnings) Log(LogLevel::kWarn, warning);
  return std::move(expansion.node);
}

}  // namespace spanloom::app
