// SPDX-License-Identifier: Apache-2.0

#include "app/default_store.h"

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
