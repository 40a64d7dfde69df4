// SPDX-License-Identifier: Apache-2.0
//
// Options as structs with defaults, declared once: the same declaration reads a struct from a Node, refuses what it
// does not know, and describes the struct for the reference pages.
//
//   struct BatchOptions {
//     int64_t send_batch_size = 8192;
//     void Declare(OptionsReader& r) {
//       r.Field("send_batch_size", send_batch_size, "Size that makes a batch be sent at once.",
//               {.min = 0, .unit = "spans"});
//     }
//     Status Validate() const;  // if there are rules across fields
//   };
//   BatchOptions options = ReadOptions<BatchOptions>(node, "processors::batch", problems);

#pragma once

#include <absl/functional/function_ref.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/text.h"
#include "config/node.h"
#include "config/problems.h"

namespace spanloom::config {

class OptionsReader;

template <typename T>
concept OptionsStruct = requires(T& options, OptionsReader& reader) { options.Declare(reader); };

// Keys with text values in order, as `headers`.
using StringMap = std::vector<std::pair<std::string, std::string>>;

// One key as the reference pages show it.
struct OptionDoc {
  enum class Kind : uint8_t {
    kValue,
    kSection,            // its defaults hold when it is left out
    kOptionalSection,    // off when it is left out or null
    kSectionOrDefaults,  // off when it is left out; null is its defaults
    kSectionList,        // any number of them
    kUnsupported,        // a key of the Collector that is refused; `words` say what to do instead
  };
  std::string name = {};
  Kind kind = Kind::kValue;
  std::string type = {};                 // "bool", "int", "duration", "one of gzip, none", "section", ...
  std::string default_text = {};         // as it would be written; "" if there is none
  std::string range = {};                // "at least 1", "between 0s and 1h0m0s"; "" if the type is the only limit
  std::string unit = {};                 // of a number: "spans", "MiB"; "" for other types
  std::string words = {};                // a sentence
  std::vector<OptionDoc> children = {};  // of a section
};

// How the words of a choice may be written.
enum class Letters : uint8_t { kExact, kAnyCase };

// The valid values of a number, both ends included.
template <typename T>
struct Range {
  T min = std::numeric_limits<T>::lowest();
  T max = std::numeric_limits<T>::max();
  std::string_view unit = {};  // what is counted: "spans", "bytes"; for the reference pages
};

// The valid values of a duration, both ends included.
struct DurationRange {
  std::chrono::nanoseconds min = std::chrono::nanoseconds::zero();
  std::chrono::nanoseconds max = std::chrono::nanoseconds::max();
};

// Visits the fields of one options struct, either to read them from a map or to describe them. Thread-compatible; lives
// for one ReadOptions or DescribeOptions. A key that is missing leaves its default, and so does null, but for a single
// value: there it is false, 0, 0s or "", as for the Collector. `words`: one full sentence.
class OptionsReader {
 public:
  // Reads from `node` (a map or null). `path` and `problems` are for messages.
  OptionsReader(const Node& node, std::string path, Problems& problems);
  // Describes.
  explicit OptionsReader(std::vector<OptionDoc>& docs) : docs_(&docs) {}

  void Field(std::string_view name, bool& value, std::string_view words);
  void Field(std::string_view name, double& value, std::string_view words, Range<double> range = {});
  void Field(std::string_view name, std::string& value, std::string_view words);
  // A list, or a string that is split at commas (as the Collector does).
  void Field(std::string_view name, std::vector<std::string>& value, std::string_view words);
  // The same, where `check` says of each item what is wrong with it.
  void Field(std::string_view name, std::vector<std::string>& value, std::string_view words,
             absl::FunctionRef<Status(const std::string&)> check);
  // A map, or a list of {name: ..., value: ...} (as the Collector takes headers). null is "".
  void Field(std::string_view name, StringMap& value, std::string_view words);
  // Whatever it is; nullopt if the key is missing or null.
  void Field(std::string_view name, std::optional<Node>& value, std::string_view words);
  // Go syntax, or a bare integer of nanoseconds.
  void Field(std::string_view name, std::chrono::nanoseconds& value, std::string_view words, DurationRange range = {});
  // Bytes, written in the configuration as a whole number of MiB: for keys that end in _mib.
  void Mebibytes(std::string_view name, size_t& bytes, std::string_view words, Range<int64_t> mib);

  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void Field(std::string_view name, T& value, std::string_view words, Range<int64_t> range = {}) {
    // The field's own type is a limit too.
    range.min = std::max(range.min, Saturated(std::numeric_limits<T>::lowest()));
    range.max = std::min(range.max, Saturated(std::numeric_limits<T>::max()));
    value = static_cast<T>(Integer(name, static_cast<int64_t>(value), words, range));
  }

  // One of a few words.
  template <typename E>
  void Choice(std::string_view name, E& value, std::span<const std::pair<std::string_view, E>> choices,
              std::string_view words, Letters letters = Letters::kExact) {
    const auto held = std::ranges::find(choices, value, &std::pair<std::string_view, E>::second);
    const size_t index =
        ChoiceIndex(name, static_cast<size_t>(held - choices.begin()), NamesOf(choices), words, letters);
    if (index < choices.size()) value = choices[index].second;
  }

  // The same, or none of them if it is left out.
  template <typename E>
  void Choice(std::string_view name, std::optional<E>& value, std::span<const std::pair<std::string_view, E>> choices,
              std::string_view words, Letters letters = Letters::kExact) {
    const size_t index = ChoiceIndex(name, choices.size(), NamesOf(choices), words, letters);
    if (index < choices.size()) value = choices[index].second;
  }

  // A section whose defaults hold when it is left out.
  template <OptionsStruct T>
  void Field(std::string_view name, T& section, std::string_view words) {
    if (docs_ != nullptr) return DescribeSection(name, OptionDoc::Kind::kSection, words, Described<T>());
    if (const Node* node = Take(name)) Read(section, *node, PathOf(name), *problems_);
  }

  // A section that counts only if its key is there and not null, and unless it says `enabled: false` (the Collector's
  // configoptional.None).
  template <OptionsStruct T>
  void Field(std::string_view name, std::optional<T>& section, std::string_view words) {
    if (docs_ != nullptr) return DescribeSection(name, OptionDoc::Kind::kOptionalSection, words, Described<T>());
    if (const Node* node = Take(name)) ReadSwitched(section, *node, PathOf(name));
  }

  // The same, but null means there, with its defaults (configoptional.Default).
  template <OptionsStruct T>
  void FieldOrDefaults(std::string_view name, std::optional<T>& section, std::string_view words) {
    if (docs_ != nullptr) return DescribeSection(name, OptionDoc::Kind::kSectionOrDefaults, words, Described<T>());
    if (const Node* node = TakePresent(name)) ReadSwitched(section, *node, PathOf(name));
  }

  // A list of sections.
  template <OptionsStruct T>
  void Field(std::string_view name, std::vector<T>& sections, std::string_view words) {
    if (docs_ != nullptr) return DescribeSection(name, OptionDoc::Kind::kSectionList, words, Described<T>());
    const Node* node = Take(name);
    if (node == nullptr) return;
    if (!node->is_list()) return WrongType(name, "list", *node);
    for (const Node& item : node->items()) {
      std::string path = StrCat(PathOf(name), "::", sections.size());
      Read(sections.emplace_back(), item, std::move(path), *problems_);
    }
  }

  // A list of sections, or of texts: of those `section_of` makes one section. A list of both is refused in the words of
  // the Collector.
  template <OptionsStruct T>
  void SectionsOrTexts(std::string_view name, std::vector<T>& sections, std::string_view words,
                       T (*section_of)(std::vector<std::string> texts)) {
    if (docs_ != nullptr) return DescribeSection(name, OptionDoc::Kind::kSectionList, words, Described<T>());
    const Node* node = node_->Find(name);
    const auto is_text = [](const Node& item) { return item.is_scalar(); };
    if (node == nullptr || !node->is_list() || std::none_of(node->items().begin(), node->items().end(), is_text)) {
      return Field(name, sections, words);
    }
    Take(name);
    if (!std::all_of(node->items().begin(), node->items().end(), is_text)) {
      return problems_->Add(PathOf(name),
                            "configuring multiple configuration styles is not supported, please use only Basic "
                            "configuration or only Advanced configuration",
                            node->source());
    }
    std::vector<std::string> texts;
    for (const Node& item : node->items()) texts.push_back(item.text());
    sections.push_back(section_of(std::move(texts)));
    const Status status = sections.back().Validate();
    if (!status.ok()) problems_->Add(PathOf(name), StdView(status.message()), node->source());
  }

  // A key that the Collector has and this version has not: refused by name, unless it is null, empty or `harmless`: the
  // value with which it would change nothing, as a configuration with all defaults has it. Of a list with one item that
  // item counts. `advice` says what to do instead.
  void Unsupported(std::string_view name, std::string_view advice, std::string_view harmless = "");

  // Reads `options` from `node`. What is wrong goes to `problems`; fields that are wrong keep their defaults. A message
  // of Validate that begins with a key is placed where that key stands.
  template <OptionsStruct T>
  static void Read(T& options, const Node& node, std::string path, Problems& problems) {
    OptionsReader reader(node, path, problems);
    reader.ReadInto(options);
  }

  template <OptionsStruct T>
  static std::vector<OptionDoc> Described() {
    std::vector<OptionDoc> docs;
    OptionsReader reader(docs);
    T{}.Declare(reader);
    return docs;
  }

 private:
  template <OptionsStruct T>
  void ReadInto(T& options) {
    const size_t problems_before = problems_->size();
    options.Declare(*this);
    RefuseUnknownKeys();
    if constexpr (requires { options.Validate(); }) {
      // Rules across fields make sense only if each field does.
      if (problems_->size() == problems_before) AddProblem(options.Validate());
    }
  }

  // A section that is off is read too, so that its mistakes are found.
  template <OptionsStruct T>
  void ReadSwitched(std::optional<T>& section, const Node& node, std::string path) {
    OptionsReader reader(node, std::move(path), *problems_);
    const bool enabled = reader.TakeSwitch();
    reader.ReadInto(section.emplace());
    if (!enabled) section.reset();
  }

  template <std::integral T>
  static constexpr int64_t Saturated(T limit) {
    return std::in_range<int64_t>(limit) ? static_cast<int64_t>(limit) : std::numeric_limits<int64_t>::max();
  }

  // One string of a list, and where it stands.
  struct Item {
    std::string text;
    const Source* source;
  };

  void ReadPairs(std::string_view name, const Node& list, StringMap& value);
  std::optional<std::vector<Item>> ReadItems(std::string_view name, const Node& node);
  // The value of `name` if it is there and not null; marks the key as known.
  const Node* Take(std::string_view name);
  // The same, null included.
  const Node* TakePresent(std::string_view name);
  // The value of `enabled`, a key that each section has that can be off; true if it is missing.
  bool TakeSwitch();
  [[nodiscard]] std::string PathOf(std::string_view name) const;
  void Describe(std::string_view name, std::string type, std::string default_text, std::string_view words,
                std::string range = {}, std::string_view unit = {});
  void DescribeSection(std::string_view name, OptionDoc::Kind kind, std::string_view words,
                       std::vector<OptionDoc> children);
  int64_t Integer(std::string_view name, int64_t value, std::string_view words, Range<int64_t> range);
  template <typename E>
  static std::vector<std::string_view> NamesOf(std::span<const std::pair<std::string_view, E>> choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    return names;
  }

  // Which of `names` is chosen; `index`, which may be past their end, if it is left out.
  size_t ChoiceIndex(std::string_view name, size_t index, std::span<const std::string_view> names,
                     std::string_view words, Letters letters);
  void WrongType(std::string_view name, std::string_view expected, const Node& node);
  void WrongRange(std::string_view name, std::string_view range, const Node& node);
  void RefuseUnknownKeys();
  void AddProblem(const Status& status);

  // Reading; all unset while describing.
  const Node* node_ = nullptr;
  std::string path_;
  Problems* problems_ = nullptr;
  std::vector<std::string> known_;

  std::vector<OptionDoc>* docs_ = nullptr;  // describing; null while reading
  std::vector<std::string> hidden_;         // unsupported keys and the switch: known, but not shown as valid
};

template <OptionsStruct T>
T ReadOptions(const Node& node, std::string_view path, Problems& problems) {
  T options;
  OptionsReader::Read(options, node, std::string(path), problems);
  return options;
}

template <OptionsStruct T>
std::vector<OptionDoc> DescribeOptions() {
  return OptionsReader::Described<T>();
}

}  // namespace spanloom::config
