// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/attribute_value.h"

#include <absl/strings/escaping.h>

#include <charconv>
#include <cmath>
#include <map>
#include <system_error>

#include "base/json_writer.h"
#include "base/text.h"
#include "otlp/validate.h"
#include "otlp/writer.h"
#include "ottl/text_format.h"
#include "store/value_text.h"

namespace spanloom::pipeline {
namespace {

using otlp::ValueView;
using Kind = ValueView::Kind;

// As the Collector writes JSON: keys in order, of one that is there twice the last value, doubles as
// JavaScript has them.
void WriteJson(const ValueView& value, JsonWriter& json) {
  switch (value.kind()) {
    case Kind::kArray:
      json.BeginArray();
      for (const ValueView element : value.array()) WriteJson(element, json);
      return json.EndArray();
    case Kind::kMap: {
      std::map<std::string_view, ValueView> entries;
      for (const otlp::AttributeView entry : value.map()) entries.insert_or_assign(entry.key(), entry.value());
      json.BeginObject();
      for (const auto& [key, entry] : entries) {
        json.Key(key);
        WriteJson(entry, json);
      }
      return json.EndObject();
    }
    case Kind::kDouble:
      if (std::isfinite(value.double_value())) return json.Raw(ottl::FormatPlainDouble(value.double_value()));
      [[fallthrough]];
    default:
      return store::WriteValueJson(value, json);
  }
}

std::string JsonText(const ValueView& value) {
  std::string text;
  JsonWriter json(text);
  WriteJson(value, json);
  return text;
}

template <typename Number>
std::optional<Number> ReadNumber(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

bool AreEqualArrays(const ValueView& a, const ValueView& b) {
  auto left = a.array().begin();
  auto right = b.array().begin();
  for (; left != a.array().end() && right != b.array().end(); ++left, ++right) {
    if (!AreEqual(*left, *right)) return false;
  }
  return left == a.array().end() && right == b.array().end();
}

bool AreEqualMaps(const ValueView& a, const ValueView& b) {
  if (a.map().Count() != b.map().Count()) return false;
  for (const otlp::AttributeView entry : a.map()) {
    const std::optional<ValueView> other = otlp::FindAttribute(b.map(), entry.key());
    if (!other || !AreEqual(entry.value(), *other)) return false;
  }
  return true;
}

int DepthOf(const config::Node& node) {
  int depth = 0;
  for (const config::Node& item : node.items()) depth = std::max(depth, DepthOf(item));
  for (const config::Node::Entry& entry : node.entries()) depth = std::max(depth, DepthOf(entry.value));
  return node.is_list() || node.is_map() ? depth + 1 : depth;
}

// Writes `node` as the value of the attribute `key`.
void Write(std::string_view key, const config::Node& node, otlp::AttributeWriter& writer);

// An attribute's value in wire form.
std::string Encoded(const config::Node& node) {
  const std::string resource =
      otlp::EncodeResource([&](otlp::AttributeWriter& writer) { Write("value", node, writer); });
  return std::string((*otlp::ResourceView(resource).attributes().begin()).value().wire());
}

void WriteScalar(std::string_view key, const config::Node& node, otlp::AttributeWriter& writer) {
  if (const auto truth = config::ReadBool(node)) {
    writer.Bool(key, *truth);
  } else if (const auto integer = config::ReadInt(node)) {
    writer.Int(key, *integer);
  } else if (const auto number = config::ReadDouble(node)) {
    writer.Double(key, *number);
  } else {
    writer.String(key, node.text());
  }
}

void Write(std::string_view key, const config::Node& node, otlp::AttributeWriter& writer) {
  switch (node.kind()) {
    case config::Node::Kind::kNull:
      writer.Encoded(key, "");
      return;
    case config::Node::Kind::kScalar:
      return WriteScalar(key, node, writer);
    case config::Node::Kind::kList:
      writer.Array(key, [&](otlp::ArrayWriter& elements) {
        for (const config::Node& item : node.items()) elements.Encoded(Encoded(item));
      });
      return;
    case config::Node::Kind::kMap:
      writer.Map(key, [&](otlp::AttributeWriter& entries) {
        for (const config::Node::Entry& entry : node.entries()) Write(entry.key, entry.value, entries);
      });
      return;
  }
}

}  // namespace

std::optional<std::string> ScalarText(const ValueView& value) {
  switch (value.kind()) {
    case Kind::kString:
      return std::string(value.string_value());
    case Kind::kBool:
      return value.bool_value() ? "true" : "false";
    case Kind::kInt:
      return StrCat(value.int_value());
    case Kind::kDouble:
      return ottl::FormatDouble(value.double_value());
    default:
      return std::nullopt;
  }
}

std::string ValueAsString(const ValueView& value) {
  switch (value.kind()) {
    case Kind::kDouble:
      return std::isfinite(value.double_value()) ? ottl::FormatPlainDouble(value.double_value())
                                                 : store::ValueText(value);
    case Kind::kArray:
    case Kind::kMap:
      return JsonText(value);
    case Kind::kBytes:
      return absl::Base64Escape(AbslView(value.bytes_value()));
    default:
      return store::ValueText(value);
  }
}

std::optional<int64_t> ReadWholeNumber(std::string_view text) {
  return ReadNumber<int64_t>(text);
}

std::optional<double> ReadDecimal(std::string_view text) {
  return ReadNumber<double>(text);
}

bool AreEqual(const ValueView& a, const ValueView& b) {
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kNone:
      return true;
    case Kind::kString:
    case Kind::kBytes:
      return a.bytes_value() == b.bytes_value();
    case Kind::kBool:
      return a.bool_value() == b.bool_value();
    case Kind::kInt:
      return a.int_value() == b.int_value();
    case Kind::kDouble:
      return a.double_value() == b.double_value();
    case Kind::kArray:
      return AreEqualArrays(a, b);
    case Kind::kMap:
      return AreEqualMaps(a, b);
  }
  return false;
}

StatusOr<ConfiguredValue> ConfiguredValue::Make(const config::Node& node) {
  if (DepthOf(node) <= otlp::kValueDepthMax) return ConfiguredValue(Encoded(node));
  return absl::InvalidArgumentError(StrCat("must not nest deeper than ", otlp::kValueDepthMax));
}

}  // namespace spanloom::pipeline
