// SPDX-License-Identifier: Apache-2.0
//
// Editors of maps: attributes, the cache, and maps in them.

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "base/text.h"
#include "ottl/function_table.h"
#include "ottl/map_builder.h"
#include "ottl/pattern.h"
#include "ottl/target.h"
#include "ottl/text_format.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

constexpr Parameter kTarget = {"target", Type::kTarget};
constexpr Parameter kPattern = {"pattern", Type::kString};

Value DeleteKey(Evaluation& e, const Arguments& a) {
  a.target->KeepEntries(e, [&](const Entry& entry) { return entry.key != a[1].text(); });
  return {};
}

template <bool kKeepsMatches>
Value MatchingKeys(Evaluation& e, const Arguments& a) {
  const Pattern& pattern = a.as<Pattern>();
  a.target->KeepEntries(e, [&](const Entry& entry) { return pattern.Matches(entry.key) == kKeepsMatches; });
  return {};
}
constexpr char kDeleteMatchingKeys[] = "delete_matching_keys";
constexpr char kKeepMatchingKeys[] = "keep_matching_keys";

absl::flat_hash_set<std::string> SetOf(Evaluation& e, const Value& strings) {
  absl::flat_hash_set<std::string> set;
  for (const Value& text : ElementsOf(strings, e.arena())) set.emplace(text.text());
  return set;
}

Value KeepKeys(Evaluation& e, const Arguments& a) {
  const auto keys = SetOf(e, a[1]);
  a.target->KeepEntries(e, [&](const Entry& entry) { return keys.contains(AbslView(entry.key)); });
  return {};
}

class Checked final : public Prepared {};

PreparedOr PrepareLimit(const Arguments& a) {
  const int64_t limit = a[1].int_value();
  if (static_cast<uint64_t>(limit) >= CountOf(a[2])) return std::make_unique<Checked>();
  return absl::InvalidArgumentError(StrCat("invalid limit for limit function, ", limit,
                                           " cannot be less than number of priority attributes ", CountOf(a[2])));
}

// The Collector leaves out any; here those that come last go.
Value Limit(Evaluation& e, const Arguments& a) {
  const int64_t limit = a[1].int_value();
  const auto keys = SetOf(e, a[2]);
  const auto entries = a.target->GetEntries(e);
  if (e.failed() || entries.size() <= static_cast<uint64_t>(limit)) return {};
  auto room = static_cast<uint64_t>(limit);
  for (const Entry& entry : entries) room -= keys.contains(AbslView(entry.key)) && room > 0 ? 1 : 0;
  a.target->KeepEntries(e, [&](const Entry& entry) {
    if (keys.contains(AbslView(entry.key))) return true;
    if (room == 0) return false;
    --room;
    return true;
  });
  return {};
}

Value MergeMaps(Evaluation& e, const Arguments& a) {
  const std::string_view strategy = a[2].text();
  const bool inserts = strategy == "insert" || strategy == "upsert";
  const bool updates = strategy == "update" || strategy == "upsert";
  MapBuilder merged;
  for (const Entry& entry : a.target->GetEntries(e)) merged.Set(entry.key, entry.value);
  if (e.failed()) return {};
  for (const Entry& entry : EntriesOf(a[1], e.arena())) {
    if (merged.Has(entry.key) ? updates : inserts) merged.Set(entry.key, entry.value);
  }
  a.target->SetEntries(e, merged.entries());
  return {};
}

PreparedOr PrepareMergeMaps(const Arguments& a) {
  const std::string_view strategy = a[2].text();
  if (strategy == "insert" || strategy == "update" || strategy == "upsert") return std::make_unique<Checked>();
  return absl::InvalidArgumentError(
      StrCat("invalid value for strategy, ", strategy, ", must be 'insert', 'update' or 'upsert'"));
}

// Moves what lies in maps and lists up to the top. In the Collector's ways: empty ones go, a list counts for one of the
// depth, and with `resolves` plain elements are numbered as all other keys that stand twice.
class Flattening {
 public:
  Flattening(Evaluation& e, int64_t depth_max, bool resolves) : e_(e), depth_max_(depth_max), resolves_(resolves) {}

  void Map(std::span<const Entry> entries, const std::string& prefix, int64_t depth) {
    for (const Entry& entry : entries) {
      One(prefix.empty() ? std::string(entry.key) : StrCat(prefix, ".", entry.key), entry.value, depth);
    }
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return result_.entries(); }

 private:
  [[nodiscard]] bool IsToFlatten(const Value& value, int64_t depth) const {
    return (value.is(Kind::kMap) || value.is(Kind::kList)) && depth < depth_max_;
  }

  void One(const std::string& key, const Value& value, int64_t depth) {
    if (!IsToFlatten(value, depth)) return Put(key, value);
    if (value.is(Kind::kMap)) return Map(EntriesOf(value, e_.arena()), key, depth + 1);
    const auto elements = ElementsOf(value, e_.arena());
    for (size_t i = 0; i < elements.size(); ++i) {
      const std::string numbered = StrCat(key, ".", i);
      if (IsToFlatten(elements[i], depth + 1)) {
        One(numbered, elements[i], depth + 1);
      } else {
        Put(resolves_ ? key : numbered, elements[i]);
      }
    }
  }

  void Put(const std::string& key, const Value& value) {
    const bool is_taken = resolves_ && result_.Has(key);
    const std::string free_key = is_taken ? StrCat(key, ".", conflicts_[key]++) : key;
    result_.Set(e_.arena().Copy(std::string_view(free_key)), value);
  }

  Evaluation& e_;
  int64_t depth_max_;
  bool resolves_;
  MapBuilder result_;
  absl::flat_hash_map<std::string, int> conflicts_;  // the number of the next one
};

PreparedOr PrepareFlatten(const Arguments& a) {
  if (!a.has(2) || a[2].int_value() > 0) return std::make_unique<Checked>();
  return absl::InvalidArgumentError(
      StrCat("invalid depth for flatten function, ", a[2].int_value(), " must be greater than 0"));
}

Value Flatten(Evaluation& e, const Arguments& a) {
  const int64_t depth = a.has(2) ? a[2].int_value() : std::numeric_limits<int64_t>::max();
  const auto entries = a.target->GetEntries(e);
  if (e.failed()) return {};
  Flattening flattening(e, depth, a.has(3) && a[3].bool_value());
  flattening.Map(entries, a.has(1) ? std::string(a[1].text()) : "", 0);
  a.target->SetEntries(e, flattening.entries());
  return {};
}

// `text` cut to `limit` bytes, the marker included.
std::string Truncated(std::string_view text, size_t limit, bool is_utf8_safe, std::string_view marker) {
  size_t size = limit - marker.size();
  while (is_utf8_safe && size > 0 && IsUtf8Continuation(text[size])) --size;
  return StrCat(text.substr(0, size), marker);
}

Value TruncateAll(Evaluation& e, const Arguments& a) {
  const int64_t limit = a[1].int_value();
  const std::string_view marker = a.has(3) ? a[3].text() : "";
  if (limit < 0) return e.Fail(StrCat("invalid limit for truncate_all function, ", limit, " cannot be negative"));
  const auto size_max = static_cast<size_t>(limit);
  if (marker.size() > size_max) return e.Fail("truncate_all: the truncation_marker is longer than the limit");
  auto entries = a.target->GetEntries(e);
  bool is_changed = false;
  for (Entry& entry : entries) {
    if (!entry.value.is(Kind::kString) || entry.value.text().size() <= size_max) continue;
    entry.value = e.NewString(Truncated(entry.value.text(), size_max, !a.has(2) || a[2].bool_value(), marker));
    is_changed = true;
  }
  if (is_changed) a.target->SetEntries(e, entries);
  return {};
}

Value StringifyAll(Evaluation& e, const Arguments& a) {
  auto entries = a.target->GetEntries(e);
  bool is_changed = false;
  for (Entry& entry : entries) {
    if (entry.value.is(Kind::kString)) continue;
    entry.value = Value::String(AttributeText(e, entry.value));
    is_changed = true;
  }
  if (is_changed) a.target->SetEntries(e, entries);
  return {};
}

constexpr Function kFunctions[] = {
    {"delete_key", {kTarget, Parameter{"key", Type::kString}}, DeleteKey},
    {"delete_matching_keys", {kTarget, kPattern}, MatchingKeys<false>, PreparePattern<kDeleteMatchingKeys, 1>, 1 << 1},
    {"keep_matching_keys", {kTarget, kPattern}, MatchingKeys<true>, PreparePattern<kKeepMatchingKeys, 1>, 1 << 1},
    {"keep_keys", {kTarget, Parameter{"keys", Type::kStrings}}, KeepKeys},
    {"limit",
     {kTarget, Parameter{"limit", Type::kIntLiteral}, Parameter{"priority_keys", Type::kStringLiterals}},
     Limit,
     PrepareLimit,
     1 << 1 | 1 << 2},
    {"merge_maps",
     {kTarget, Parameter{"source", Type::kMap}, Parameter{"strategy", Type::kStringLiteral}},
     MergeMaps,
     PrepareMergeMaps,
     1 << 2},
    {"flatten",
     {kTarget, Parameter{"prefix", Type::kStringLiteral, true}, Parameter{"depth", Type::kIntLiteral, true},
      Parameter{"resolveConflicts", Type::kBoolLiteral, true}},
     Flatten,
     PrepareFlatten,
     1 << 2},
    {"truncate_all",
     {kTarget, Parameter{"limit", Type::kIntLiteral}, Parameter{"utf8_safe", Type::kBoolLiteral, true},
      Parameter{"truncation_marker", Type::kStringLiteral, true}},
     TruncateAll},
    {"stringify_all", {kTarget}, StringifyAll},
};

}  // namespace

std::span<const Function> MapEditors() {
  return kFunctions;
}

}  // namespace spanloom::ottl
