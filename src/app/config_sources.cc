// SPDX-License-Identifier: Apache-2.0

#include "app/config_sources.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "app/config_fetch.h"
#include "base/log.h"
#include "base/text.h"
#include "config/load.h"
#include "config/location.h"
#include "config/yaml.h"

namespace spanloom::app {
namespace {

// A file with its descriptor closed at the end.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] bool ok() const { return descriptor_ >= 0; }
  // The next bytes, 0 at the end, -1 on an error (errno).
  ssize_t Read(char* buffer, size_t size) { return read(descriptor_, buffer, size); }

 private:
  int descriptor_;
};

Status FileError(const std::string& path) {
  return absl::ErrnoToStatus(errno, StrCat("cannot read configuration file ", path));
}

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
  OpenFile file(path);
  if (!file.ok()) return FileError(path);
  std::string content;
  std::array<char, 16 << 10> buffer;
  while (true) {
    const ssize_t count = file.Read(buffer.data(), buffer.size());
    if (count < 0) return FileError(path);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(count));
    if (content.size() > config::kYamlBytesMax) {
      return absl::InvalidArgumentError(
          StrCat("configuration file ", path, " is larger than ", config::kYamlBytesMax, " bytes"));
    }
  }
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
