// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/tool_call.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "kube/json.h"

namespace spanloom::llmd::simulator {
namespace {

using simdjson::dom::element;

constexpr int kSchemaDepthMax = 16;    // objects and lists in each other; what is deeper is null; guess
constexpr size_t kValuesMax = 10'000;  // of one call; what is more is null; guess
constexpr std::array<std::string_view, 16> kTexts = {"north", "river", "model", "token", "cache", "block",
                                                     "queue", "span",  "trace", "stone", "water", "light",
                                                     "early", "small", "quiet", "second"};

bool Happens(int64_t percent, Rng& rng) {
  constexpr uint64_t kAll = 100;
  return static_cast<int64_t>(rng.Below(kAll)) < percent;
}

int64_t Between(int64_t min, int64_t max, Rng& rng) {
  const uint64_t span = static_cast<uint64_t>(max) - static_cast<uint64_t>(min);
  if (span == UINT64_MAX) return static_cast<int64_t>(rng.Next());
  return static_cast<int64_t>(static_cast<uint64_t>(min) + rng.Below(span + 1));
}

// The first of the types that a schema allows which is not null; "" if it says none.
std::string_view TypeOf(const element& schema) {
  element type;
  std::string_view name;
  if (schema["type"].get(type) != simdjson::SUCCESS)
    return schema["properties"].error() == simdjson::SUCCESS ? "object" : "";
  if (type.get(name) == simdjson::SUCCESS) return name;
  simdjson::dom::array list;
  if (type.get(list) != simdjson::SUCCESS) return "";
  for (const element each : list) {
    if (each.get(name) == simdjson::SUCCESS && name != "null") return name;
  }
  return "null";
}

bool IsRequired(const element& schema, std::string_view key) {
  bool is_named = false;
  kube::ForEachAt(schema, "required", [&](const element& each) {
    std::string_view name;
    is_named |= each.get(name) == simdjson::SUCCESS && name == key;
  });
  return is_named;
}

// Writes one value after the other.
class Maker {
 public:
  Maker(const ToolOptions& options, Rng& rng, JsonWriter& writer) : options_(options), rng_(rng), writer_(writer) {}

  void Object(const element& schema, int depth) {
    const int64_t percent = depth == 0 ? options_.optional_percent : options_.optional_field_percent;
    writer_.BeginObject();
    simdjson::dom::object properties;
    if (schema["properties"].get(properties) == simdjson::SUCCESS) {
      for (const auto property : properties) {
        if (!IsRequired(schema, property.key) && !Happens(percent, rng_)) continue;
        writer_.Key(property.key);
        Value(property.value, depth + 1);
      }
    }
    writer_.EndObject();
  }

 private:
  void Value(const element& schema, int depth) {
    simdjson::dom::array choices;
    element only;
    const std::string_view type = TypeOf(schema);
    if (depth > kSchemaDepthMax || ++values_ > kValuesMax || type == "null") {
      writer_.Null();
    } else if (schema["enum"].get(choices) == simdjson::SUCCESS && choices.size() > 0) {
      writer_.Raw(simdjson::minify(choices.at(rng_.Below(choices.size())).value()));
    } else if (schema["const"].get(only) == simdjson::SUCCESS) {
      writer_.Raw(simdjson::minify(only));
    } else if (type == "integer") {
      Integer(schema);
    } else if (type == "number") {
      Number(schema);
    } else if (type == "boolean") {
      writer_.Bool(Happens(50, rng_));
    } else if (type == "object") {
      Object(schema, depth);
    } else if (type == "array") {
      List(schema, depth);
    } else {
      writer_.String(kTexts[rng_.Below(kTexts.size())]);
    }
  }

  // The schema's own bounds go first; the other one of the flags gives way to one.
  template <typename Number>
  std::pair<Number, Number> Bounds(const element& schema, std::string_view min_key, std::string_view max_key,
                                   Number min, Number max) const {
    const bool has_min = schema[min_key].get(min) == simdjson::SUCCESS;
    const bool has_max = schema[max_key].get(max) == simdjson::SUCCESS;
    if (min > max) has_max&& !has_min ? min = max : max = min;
    return {min, max};
  }

  void Integer(const element& schema) {
    const auto [min, max] = Bounds(schema, "minimum", "maximum", options_.integer_min, options_.integer_max);
    writer_.Int(Between(min, max, rng_));
  }

  void Number(const element& schema) {
    const auto [min, max] = Bounds(schema, "minimum", "maximum", options_.number_min, options_.number_max);
    writer_.Double(min + rng_.Unit() * (max - min));
  }

  void List(const element& schema, int depth) {
    auto [min, max] = Bounds(schema, "minItems", "maxItems", options_.list_min, options_.list_max);
    min = std::clamp<int64_t>(min, 0, kToolListMax);
    const int64_t count = Between(min, std::clamp<int64_t>(max, min, kToolListMax), rng_);
    element items;
    writer_.BeginArray();
    for (int64_t i = 0; i < count && values_ < kValuesMax; ++i) {
      if (schema["items"].get(items) == simdjson::SUCCESS && items.is_object()) {
        Value(items, depth + 1);
      } else {
        ++values_;
        writer_.String(kTexts[rng_.Below(kTexts.size())]);
      }
    }
    writer_.EndArray();
  }

  const ToolOptions& options_;
  Rng& rng_;
  JsonWriter& writer_;
  size_t values_ = 0;
};

}  // namespace

std::string MakeUpArguments(const ToolOptions& options, std::string_view schema, Rng& rng) {
  kube::JsonReader reader;
  const auto root = reader.Read(schema.empty() ? "{}" : schema);
  if (!root.ok() || !root->is_object()) return "{}";
  std::string json;
  JsonWriter writer(json);
  Maker(options, rng, writer).Object(*root, 0);
  return json;
}

std::vector<wire::ToolCall> MakeUpCalls(const ToolOptions& options, const std::vector<wire::ToolFunction>& tools,
                                        size_t least, size_t most, Rng rng) {
  std::vector<const wire::ToolFunction*> left;
  for (const wire::ToolFunction& tool : tools) left.push_back(&tool);
  most = std::min(most, left.size());
  std::vector<wire::ToolCall> calls;
  while (calls.size() < most && (calls.size() < least || Happens(options.extra_call_percent, rng))) {
    const auto place = left.begin() + static_cast<ptrdiff_t>(rng.Below(left.size()));
    calls.push_back({.id = StrCat("chatcmpl-tool-", absl::Hex(rng.Next(), absl::kZeroPad16)),
                     .name = (*place)->name,
                     .arguments = MakeUpArguments(options, (*place)->parameters, rng)});
    left.erase(place);
  }
  return calls;
}

}  // namespace spanloom::llmd::simulator
