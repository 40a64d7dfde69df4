// SPDX-License-Identifier: Apache-2.0

#include "config/options.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <cmath>
#include <numeric>

#include "base/text.h"
#include "config/duration.h"

namespace spanloom::config {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

// Levenshtein distance, O(|a| * |b|).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substituted});
    }
  }
  return row[b.size()];
}

// The known key that a user most likely meant; "" if none is near.
std::string Nearest(std::string_view key, std::span<const std::string> known) {
  std::string nearest;
  size_t nearest_distance = std::min<size_t>(3, key.size() / 2 + 1);
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(key, candidate);
    if (distance < nearest_distance) nearest = candidate, nearest_distance = distance;
  }
  return nearest;
}

std::string Shown(const Node& node) {
  return node.is_scalar() ? StrCat("'", TypeName(node), "' \"", node.text(), "\"") : StrCat("'", TypeName(node), "'");
}

bool IsEmpty(const Node& node) {
  return node.is_null() || (node.is_map() && node.entries().empty()) || (node.is_list() && node.items().empty());
}

template <typename T>
std::string RangeText(const Range<T>& range) {
  const bool has_min = range.min != std::numeric_limits<T>::lowest();
  const bool has_max = range.max != std::numeric_limits<T>::max();
  if (has_min && has_max) return StrCat("between ", range.min, " and ", range.max);
  return has_min ? StrCat("at least ", range.min) : StrCat("at most ", range.max);
}

std::optional<std::vector<std::string>> ReadStrings(const Node& node) {
  std::vector<std::string> values;
  if (!node.is_list()) {
    const auto text = ReadString(node);
    if (!text) return std::nullopt;
    for (const absl::string_view part : absl::StrSplit(*text, ',', absl::SkipWhitespace())) {
      values.emplace_back(absl::StripAsciiWhitespace(part));
    }
    return values;
  }
  for (const Node& item : node.items()) {
    auto text = ReadString(item);
    if (!text) return std::nullopt;
    values.push_back(*std::move(text));
  }
  return values;
}

}  // namespace

OptionsReader::OptionsReader(const Node& node, std::string path, Problems& problems)
    : node_(&node), path_(std::move(path)), problems_(&problems) {
  if (node.is_null() || node.is_map()) return;
  problems.Add(path_, StrCat("expected a map, got ", Shown(node)), node.source());
}

const Node* OptionsReader::TakePresent(std::string_view name) {
  known_.emplace_back(name);
  return node_->Find(name);
}

const Node* OptionsReader::Take(std::string_view name) {
  const Node* node = TakePresent(name);
  return node == nullptr || node->is_null() ? nullptr : node;
}

std::string OptionsReader::PathOf(std::string_view name) const {
  return StrCat(path_, path_.empty() ? "" : "::", name);
}

void OptionsReader::Describe(std::string_view name, std::string type, std::string default_text, std::string_view words,
                             std::vector<OptionDoc> children) {
  docs_->push_back(
      {std::string(name), std::move(type), std::move(default_text), std::string(words), std::move(children)});
}

void OptionsReader::WrongType(std::string_view name, std::string_view expected, const Node& node) {
  problems_->Add(PathOf(name), StrCat("expected type '", expected, "', got ", Shown(node)), node.source());
}

void OptionsReader::WrongRange(std::string_view name, std::string_view range, const Node& node) {
  problems_->Add(PathOf(name), StrCat("must be ", range, ", got ", node.text()), node.source());
}

void OptionsReader::Field(std::string_view name, bool& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "bool", value ? "true" : "false", words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  const auto read = ReadBool(*node);
  if (!read) return WrongType(name, "bool", *node);
  value = *read;
}

void OptionsReader::Field(std::string_view name, double& value, std::string_view words, Range<double> range) {
  if (docs_ != nullptr) return Describe(name, "float", StrCat(value), words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  const auto read = ReadDouble(*node);
  if (!read) return WrongType(name, "float", *node);
  // Written so that NaN is refused.
  if (!(*read >= range.min && *read <= range.max)) return WrongRange(name, RangeText(range), *node);
  value = *read;
}

void OptionsReader::Field(std::string_view name, std::string& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "string", value, words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  auto read = ReadString(*node);
  if (!read) return WrongType(name, "string", *node);
  value = *std::move(read);
}

void OptionsReader::Field(std::string_view name, std::vector<std::string>& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "list of strings", StrCat("[", absl::StrJoin(value, ", "), "]"), words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  auto read = ReadStrings(*node);
  if (!read) return WrongType(name, "list of strings", *node);
  value = *std::move(read);
}

void OptionsReader::Field(std::string_view name, StringMap& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "map of strings", "{}", words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  if (!node->is_map()) return WrongType(name, "map of strings", *node);
  for (const Node::Entry& entry : node->entries()) {
    auto text = ReadString(entry.value);
    if (!text) return WrongType(StrCat(name, "::", entry.key), "string", entry.value);
    value.emplace_back(entry.key, *std::move(text));
  }
}

void OptionsReader::Field(std::string_view name, std::chrono::nanoseconds& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "duration", FormatDuration(value), words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  std::optional<std::chrono::nanoseconds> read;
  if (const auto integer = ReadInt(*node)) {
    read = std::chrono::nanoseconds(*integer);
  } else if (const auto text = ReadString(*node)) {
    read = ParseDuration(*text);
  }
  if (!read) return WrongType(name, "duration", *node);
  if (read->count() < 0) return WrongRange(name, "at least 0s", *node);
  value = *read;
}

void OptionsReader::Mebibytes(std::string_view name, size_t& bytes, std::string_view words, Range<int64_t> mib) {
  mib.max = std::min(mib.max, std::numeric_limits<int64_t>::max() / kMebibyte);
  const auto whole = static_cast<int64_t>(bytes) / kMebibyte;
  const int64_t read = Integer(name, whole, words, mib);
  // A default need not be a whole number of MiB.
  if (read != whole) bytes = static_cast<size_t>(read * kMebibyte);
}

int64_t OptionsReader::Integer(std::string_view name, int64_t value, std::string_view words, Range<int64_t> range) {
  if (docs_ != nullptr) {
    Describe(name, "int", StrCat(value), words);
    return value;
  }
  const Node* node = Take(name);
  if (node == nullptr) return value;
  const auto read = ReadInt(*node);
  if (!read) {
    WrongType(name, "int", *node);
    return value;
  }
  if (*read < range.min || *read > range.max) {
    WrongRange(name, RangeText(range), *node);
    return value;
  }
  return *read;
}

size_t OptionsReader::ChoiceIndex(std::string_view name, size_t index, std::span<const std::string_view> names,
                                  std::string_view words) {
  const auto join = [](std::string* out, std::string_view part) { out->append(part); };
  const std::string valid = absl::StrJoin(names, ", ", join);
  if (docs_ != nullptr) {
    Describe(name, StrCat("one of ", valid), std::string(names[index]), words);
    return index;
  }
  const Node* node = Take(name);
  if (node == nullptr) return index;
  const std::string text = node->is_scalar() ? node->text() : "";
  const auto found = absl::c_find(names, text);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  problems_->Add(PathOf(name), StrCat("unknown value ", Shown(*node), " (valid: ", valid, ")"), node->source());
  return index;
}

void OptionsReader::Unsupported(std::string_view name, std::string_view advice) {
  if (docs_ != nullptr) return;
  hidden_.emplace_back(name);
  const Node* node = node_->Find(name);
  if (node == nullptr || IsEmpty(*node)) return;
  problems_->Add(path_, StrCat(name, " is not supported by this version: ", advice), node->source());
}

void OptionsReader::RefuseUnknownKeys() {
  for (const Node::Entry& entry : node_->entries()) {
    if (absl::c_linear_search(known_, entry.key) || absl::c_linear_search(hidden_, entry.key)) continue;
    const std::string nearest = Nearest(entry.key, known_);
    problems_->Add(path_,
                   StrCat("has invalid keys: ", entry.key, " (valid: ", absl::StrJoin(known_, ", "),
                          nearest.empty() ? "" : StrCat("; did you mean \"", nearest, "\"?"), ")"),
                   entry.source);
  }
}

void OptionsReader::AddProblem(const Status& status) {
  if (!status.ok()) problems_->Add(path_, StdView(status.message()), node_->source());
}

}  // namespace spanloom::config
