// SPDX-License-Identifier: Apache-2.0

#include "app/default_store.h"

#include <cstdlib>
#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "config/merge.h"

namespace spanloom::app {
namespace {

using config::Node;

// "" unless it is an absolute path: others are to be ignored, says the specification.
std::string AbsolutePathOf(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

// `value` below the keys, the outermost first.
Node Below(std::initializer_list<std::string_view> keys, Node value, const config::Source& source) {
  for (auto key = std::rbegin(keys); key != std::rend(keys); ++key) {
    std::vector<Node::Entry> entries;
    entries.push_back({.key = std::string(*key), .source = source, .value = std::move(value)});
    value = Node::Map(std::move(entries), source);
  }
  return value;
}

}  // namespace

StatusOr<std::string> DefaultDataDir() {
  const std::string data_home = AbsolutePathOf("XDG_DATA_HOME");
  if (!data_home.empty()) return StrCat(data_home, "/spanloom");
  const std::string home = AbsolutePathOf("HOME");
  if (!home.empty()) return StrCat(home, "/.local/share/spanloom");
  return absl::FailedPreconditionError(
      "there is no directory to keep traces in: neither XDG_DATA_HOME nor HOME is set; say --data-dir DIR, or "
      "--in-memory");
}

config::Node DataDirSettings(const std::string& data_dir, const config::Source& source) {
  return Below({"exporters", "spanloom_store", "data_dir"}, Node::Scalar(data_dir, Node::Style::kQuoted, source),
               source);
}

config::Node DefaultStoreSettings(const std::string& data_dir) {
  const config::Source source{.file = "default"};
  return config::Merge(DataDirSettings(data_dir, source),
                       Below({"exporters", "spanloom_store", "retention", "mib_max"},
                             Node::Scalar(StrCat(kDefaultStoreMib), Node::Style::kPlain, source), source));
}

}  // namespace spanloom::app
