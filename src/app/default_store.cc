// SPDX-License-Identifier: Apache-2.0

#include "app/default_store.h"

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::app {
namespace {

using config::Node;

// "" unless it is an absolute path: others are to be ignored, says the specification.
std::string AbsolutePathOf(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

Node::Entry EntryOf(std::string_view key, Node value, const config::Source& source) {
  return {.key = std::string(key), .source = source, .value = std::move(value)};
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

config::Node DefaultStoreSettings(const std::string& data_dir) {
  const config::Source source{.file = "default"};
  const auto scalar = [&](std::string text, Node::Style style) { return Node::Scalar(std::move(text), style, source); };
  const auto map = [&](std::vector<Node::Entry> entries) { return Node::Map(std::move(entries), source); };
  Node retention = map({EntryOf("mib_max", scalar(StrCat(kDefaultStoreMib), Node::Style::kPlain), source)});
  Node store = map({EntryOf("data_dir", scalar(data_dir, Node::Style::kQuoted), source),
                    EntryOf("retention", std::move(retention), source)});
  return map({EntryOf("exporters", map({EntryOf("spanloom_store", std::move(store), source)}), source)});
}

}  // namespace spanloom::app
