// SPDX-License-Identifier: Apache-2.0

#include "app/load_config.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "app/default_store.h"
#include "base/log.h"
#include "base/text.h"
#include "config/load.h"
#include "config/merge.h"
#include "config/yaml.h"
#include "store/data_dir.h"

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

StatusOr<std::string> ReadFile(const std::string& path) {
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

std::optional<std::string> EnvironmentVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

// Files say themselves whether the store is on disk.
bool UsesDefaultStore(const ServeArguments& arguments) {
  return arguments.config_files.empty() && arguments.data_dir.empty() && !arguments.in_memory;
}

}  // namespace

StatusOr<ComposedConfig> LoadConfig(const ServeArguments& arguments) {
  std::vector<config::ConfigText> texts;
  for (const std::string& path : arguments.config_files) {
    ASSIGN_OR_RETURN(std::string text, ReadFile(path));
    texts.push_back({.file = path, .text = std::move(text)});
  }
  const config::ExpansionSources sources{.environment = EnvironmentVariable, .read_file = ReadFile};
  ASSIGN_OR_RETURN(config::Expansion user, config::Load(texts, arguments.settings, sources));
  for (const std::string& warning : user.warnings) Log(LogLevel::kWarn, warning);
  if (UsesDefaultStore(arguments)) {
    ASSIGN_OR_RETURN(const std::string data_dir, store::DefaultDataDir());
    user.node = config::Merge(DefaultStoreSettings(data_dir), user.node);
  }
  if (!arguments.data_dir.empty())
    user.node = config::Merge(user.node, DataDirSettings(arguments.data_dir, {.file = "--data-dir"}));
  return ComposeConfig(user.node, {.listen_host = arguments.listen_host, .append_store = arguments.append_store});
}

}  // namespace spanloom::app
