// SPDX-License-Identifier: Apache-2.0

#include "config/options.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <cmath>

#include "base/text.h"
#include "config/duration.h"
#include "config/nearest.h"

namespace spanloom::config {
namespace {

constexpr int64_t kMebibyte = 1 << 20;
constexpr std::string_view kSwitch = "enabled";  // of each section that may be off
constexpr double kWholeMax = 9.2e18;             // below what int64_t holds

std::string Shown(const Node& node) {
  return node.is_scalar() ? StrCat("'", TypeName(node), "' \"", node.text(), "\"") : StrCat("'", TypeName(node), "'");
}

// True if nothing is said anywhere in it, as where all keys of a section are written out with null, "" and [].
bool IsEmpty(const Node& node) {
  const bool is_scalar_with_text = node.is_scalar() && !node.text().empty();
  return !is_scalar_with_text && absl::c_all_of(node.items(), IsEmpty) &&
         absl::c_all_of(node.entries(), [](const Node::Entry& entry) { return IsEmpty(entry.value); });
}

bool IsSwitchedOff(const Node& section) {
  const Node* enabled = section.Find(kSwitch);
  return enabled != nullptr && ReadBool(*enabled) == false;
}

std::string RangeText(bool has_min, const std::string& min, bool has_max, const std::string& max) {
  if (has_min && has_max) return StrCat("between ", min, " and ", max);
  if (has_min) return StrCat("at least ", min);
  return has_max ? StrCat("at most ", max) : "";
}

template <typename T>
std::string RangeText(const Range<T>& range) {
  return RangeText(range.min != std::numeric_limits<T>::lowest(), StrCat(range.min),
                   range.max != std::numeric_limits<T>::max(), StrCat(range.max));
}

std::string RangeText(const DurationRange& range) {
  return RangeText(true, FormatDuration(range.min), range.max != std::chrono::nanoseconds::max(),
                   FormatDuration(range.max));
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> values;
  for (const absl::string_view part : absl::StrSplit(AbslView(text), ',', absl::SkipWhitespace())) {
    values.emplace_back(absl::StripAsciiWhitespace(part));
  }
  return values;
}

// null is the empty text, unless ${...} was replaced by a text that means null.
std::optional<std::string> ReadText(const Node& node) {
  auto text = ReadString(node);
  return text || !node.is_null() ? text : "";
}

// null is 0. Of a number with a fraction the whole part counts, as for the Collector: templates write 1e+06.
std::optional<int64_t> ReadWhole(const Node& node) {
  if (node.is_null()) return 0;
  if (const auto integer = ReadInt(node)) return integer;
  const auto number = ReadDouble(node);
  if (!number || !(std::abs(*number) < kWholeMax)) return std::nullopt;
  return static_cast<int64_t>(*number);
}

// An empty word is shown as "".
std::string JoinWords(std::span<const std::string_view> words) {
  return absl::StrJoin(words, ", ",
                       [](std::string* out, std::string_view word) { out->append(word.empty() ? "\"\"" : word); });
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

bool OptionsReader::TakeSwitch() {
  hidden_.emplace_back(kSwitch);
  const Node* node = node_->Find(kSwitch);
  if (node == nullptr) return true;
  const auto read = ReadBool(*node);
  if (!read) WrongType(kSwitch, "bool", *node);
  return read.value_or(true);
}

std::string OptionsReader::PathOf(std::string_view name) const {
  return StrCat(path_, path_.empty() ? "" : "::", name);
}

void OptionsReader::Describe(std::string_view name, std::string type, std::string default_text, std::string_view words,
                             std::string range, std::string_view unit) {
  docs_->push_back({.name = std::string(name),
                    .type = std::move(type),
                    .default_text = std::move(default_text),
                    .range = std::move(range),
                    .unit = std::string(unit),
                    .words = std::string(words)});
}

void OptionsReader::DescribeSection(std::string_view name, OptionDoc::Kind kind, std::string_view words,
                                    std::vector<OptionDoc> children) {
  docs_->push_back({.name = std::string(name),
                    .kind = kind,
                    .type = kind == OptionDoc::Kind::kSectionList ? "list of sections" : "section",
                    .words = std::string(words),
                    .children = std::move(children)});
}

void OptionsReader::WrongType(std::string_view name, std::string_view expected, const Node& node) {
  problems_->Add(PathOf(name), StrCat("expected type '", expected, "', got ", Shown(node)), node.source());
}

void OptionsReader::WrongRange(std::string_view name, std::string_view range, const Node& node) {
  const std::string_view got = node.is_null() ? "null" : std::string_view(node.text());
  problems_->Add(PathOf(name), StrCat("must be ", range, ", got ", got), node.source());
}

void OptionsReader::Field(std::string_view name, bool& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "bool", value ? "true" : "false", words);
  const Node* node = TakePresent(name);
  if (node == nullptr) return;
  const auto read = node->is_null() ? false : ReadBool(*node);
  if (!read) return WrongType(name, "bool", *node);
  value = *read;
}

void OptionsReader::Field(std::string_view name, double& value, std::string_view words, Range<double> range) {
  if (docs_ != nullptr) return Describe(name, "float", StrCat(value), words, RangeText(range), range.unit);
  const Node* node = TakePresent(name);
  if (node == nullptr) return;
  const auto read = node->is_null() ? 0 : ReadDouble(*node);
  if (!read) return WrongType(name, "float", *node);
  // Written so that NaN is refused.
  if (!(*read >= range.min && *read <= range.max)) return WrongRange(name, RangeText(range), *node);
  value = *read;
}

void OptionsReader::Field(std::string_view name, std::string& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "string", value, words);
  const Node* node = TakePresent(name);
  if (node == nullptr) return;
  auto read = ReadText(*node);
  if (!read) return WrongType(name, "string", *node);
  value = *std::move(read);
}

void OptionsReader::Field(std::string_view name, std::vector<std::string>& value, std::string_view words) {
  Field(name, value, words, [](const std::string&) { return absl::OkStatus(); });
}

void OptionsReader::Field(std::string_view name, std::vector<std::string>& value, std::string_view words,
                          absl::FunctionRef<Status(const std::string&)> check) {
  if (docs_ != nullptr) return Describe(name, "list of strings", StrCat("[", absl::StrJoin(value, ", "), "]"), words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  const std::optional<std::vector<Item>> items = ReadItems(name, *node);
  if (!items) return;
  value.clear();
  for (size_t i = 0; i < items->size(); ++i) {
    const auto& [text, source] = (*items)[i];
    const Status status = check(text);
    if (!status.ok()) problems_->Add(PathOf(StrCat(name, "::", i)), StdView(status.message()), *source);
    value.push_back(text);
  }
}

// nullopt, and a problem, if they are no strings.
std::optional<std::vector<OptionsReader::Item>> OptionsReader::ReadItems(std::string_view name, const Node& node) {
  std::vector<Item> items;
  if (!node.is_list()) {
    const auto text = ReadString(node);
    if (!text) return WrongType(name, "list of strings", node), std::nullopt;
    for (std::string& part : SplitAtCommas(*text)) items.push_back({std::move(part), &node.source()});
    return items;
  }
  for (const Node& item : node.items()) {
    auto text = ReadText(item);
    if (!text) return WrongType(StrCat(name, "::", items.size()), "string", item), std::nullopt;
    items.push_back({*std::move(text), &item.source()});
  }
  return items;
}

void OptionsReader::Field(std::string_view name, StringMap& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "map of strings", "{}", words);
  const Node* node = Take(name);
  if (node == nullptr) return;
  if (node->is_list()) return ReadPairs(name, *node, value);
  if (!node->is_map()) return WrongType(name, "map of strings", *node);
  for (const Node::Entry& entry : node->entries()) {
    auto text = ReadText(entry.value);
    if (!text) return WrongType(StrCat(name, "::", entry.key), "string", entry.value);
    value.emplace_back(entry.key, *std::move(text));
  }
}

void OptionsReader::ReadPairs(std::string_view name, const Node& list, StringMap& value) {
  for (size_t i = 0; i < list.items().size(); ++i) {
    const Node& item = list.items()[i];
    const Node* key = item.Find("name");
    const Node* text = item.Find("value");
    const auto read_key = key == nullptr ? "" : ReadText(*key);
    const auto read_text = text == nullptr ? "" : ReadText(*text);
    const size_t known = static_cast<size_t>(key != nullptr) + static_cast<size_t>(text != nullptr);
    if (!read_key || !read_text || !(item.is_map() || item.is_null()) || item.entries().size() != known) {
      return WrongType(StrCat(name, "::", i), "{name: string, value: string}", item);
    }
    value.emplace_back(*read_key, *read_text);
  }
}

void OptionsReader::Field(std::string_view name, std::optional<Node>& value, std::string_view words) {
  if (docs_ != nullptr) return Describe(name, "any", "", words);
  if (const Node* node = Take(name)) value = *node;
}

void OptionsReader::Field(std::string_view name, std::chrono::nanoseconds& value, std::string_view words,
                          DurationRange range) {
  if (docs_ != nullptr) return Describe(name, "duration", FormatDuration(value), words, RangeText(range));
  const Node* node = TakePresent(name);
  if (node == nullptr) return;
  std::optional<std::chrono::nanoseconds> read;
  if (const auto integer = ReadWhole(*node)) {
    read = std::chrono::nanoseconds(*integer);
  } else if (const auto text = ReadString(*node)) {
    read = ParseDuration(*text);
  }
  if (!read) return WrongType(name, "duration", *node);
  if (*read < range.min || *read > range.max) return WrongRange(name, RangeText(range), *node);
  value = *read;
}

void OptionsReader::Mebibytes(std::string_view name, size_t& bytes, std::string_view words, Range<int64_t> mib) {
  mib.max = std::min(mib.max, std::numeric_limits<int64_t>::max() / kMebibyte);
  mib.unit = "MiB";
  const auto whole = static_cast<int64_t>(bytes) / kMebibyte;
  const int64_t read = Integer(name, whole, words, mib);
  // A default need not be a whole number of MiB.
  if (read != whole) bytes = static_cast<size_t>(read * kMebibyte);
}

int64_t OptionsReader::Integer(std::string_view name, int64_t value, std::string_view words, Range<int64_t> range) {
  if (docs_ != nullptr) {
    Describe(name, "int", StrCat(value), words, RangeText(range), range.unit);
    return value;
  }
  const Node* node = TakePresent(name);
  if (node == nullptr) return value;
  const auto read = ReadWhole(*node);
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
                                  std::string_view words, Letters letters) {
  const std::string valid = JoinWords(names);
  if (docs_ != nullptr) {
    Describe(name, StrCat("one of ", valid, letters == Letters::kAnyCase ? ", in any case" : ""),
             index < names.size() ? std::string(names[index]) : "", words);
    return index;
  }
  const Node* node = Take(name);
  // {} is how the Collector prints one that was left out.
  if (node == nullptr || (node->is_map() && node->entries().empty())) return index;
  const std::string text = node->is_scalar() ? node->text() : "";
  const auto found = absl::c_find_if(names, [&](std::string_view choice) {
    return letters == Letters::kAnyCase ? absl::EqualsIgnoreCase(AbslView(choice), text) : choice == text;
  });
  if (node->is_scalar() && found != names.end()) return static_cast<size_t>(found - names.begin());
  const std::vector<std::string> known(names.begin(), names.end());
  problems_->Add(PathOf(name), StrCat("unknown value ", Shown(*node), " (valid: ", valid, DidYouMean(text, known), ")"),
                 node->source());
  return index;
}

void OptionsReader::Unsupported(std::string_view name, std::string_view advice, std::string_view harmless) {
  if (docs_ != nullptr) {
    docs_->push_back({.name = std::string(name), .kind = OptionDoc::Kind::kUnsupported, .words = std::string(advice)});
    return;
  }
  hidden_.emplace_back(name);
  const Node* node = node_->Find(name);
  if (node == nullptr || IsEmpty(*node) || IsSwitchedOff(*node)) return;
  const Node& value = node->is_list() && node->items().size() == 1 ? node->items().front() : *node;
  if (value.is_scalar() && value.text() == harmless) return;
  problems_->Add(path_, StrCat(name, " is not supported by this version: ", advice), node->source());
}

void OptionsReader::RefuseUnknownKeys() {
  for (const Node::Entry& entry : node_->entries()) {
    if (absl::c_linear_search(known_, entry.key) || absl::c_linear_search(hidden_, entry.key)) continue;
    problems_->Add(path_,
                   StrCat("has invalid keys: ", entry.key, " (valid: ", absl::StrJoin(known_, ", "),
                          DidYouMean(entry.key, known_), ")"),
                   entry.source);
  }
}

void OptionsReader::AddProblem(const Status& status) {
  // A section that is off need not be complete.
  const bool is_off = absl::c_linear_search(hidden_, kSwitch) && IsSwitchedOff(*node_);
  if (status.ok() || is_off) return;
  const std::string_view text = StdView(status.message());
  const Node* key = node_->Find(text.substr(0, text.find(' ')));
  problems_->Add(path_, text, key == nullptr ? node_->source() : key->source());
}

}  // namespace spanloom::config
