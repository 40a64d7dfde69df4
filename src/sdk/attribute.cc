// SPDX-License-Identifier: Apache-2.0

#include "sdk/attribute.h"

#include "base/utf8.h"

namespace spanloom::sdk {
namespace {

// Writes one attribute by the type of its value.
struct ValueWriter {
  otlp::AttributeWriter& writer;
  std::string_view key;
  void operator()(bool value) const { writer.Bool(key, value); }
  void operator()(int64_t value) const { writer.Int(key, value); }
  void operator()(double value) const { writer.Double(key, value); }
  void operator()(const std::string& value) const {
    if (IsUtf8(value)) {
      writer.String(key, value);
    } else {
      writer.String(key, RepairUtf8(value));
    }
  }
  void operator()(const ListValue& value) const { writer.Encoded(key, value.any_value); }
};

}  // namespace

ListValue ListValue::Of(std::span<const std::string> texts, size_t text_length) {
  return {otlp::EncodeArray([&](otlp::ArrayWriter& writer) {
    for (const std::string& text : texts) writer.String(RepairUtf8(Utf8Prefix(text, text_length)));
  })};
}

ListValue ListValue::Of(std::span<const int64_t> numbers) {
  return {otlp::EncodeArray([&](otlp::ArrayWriter& writer) {
    for (const int64_t number : numbers) writer.Int(number);
  })};
}

ListValue ListValue::Of(std::span<const double> numbers) {
  return {otlp::EncodeArray([&](otlp::ArrayWriter& writer) {
    for (const double number : numbers) writer.Double(number);
  })};
}

ListValue ListValue::Of(std::span<const bool> truths) {
  return {otlp::EncodeArray([&](otlp::ArrayWriter& writer) {
    for (const bool truth : truths) writer.Bool(truth);
  })};
}

void WriteAttributes(const Attributes& attributes, otlp::AttributeWriter& writer) {
  for (const Attribute& attribute : attributes) std::visit(ValueWriter{writer, attribute.key}, attribute.value);
}

}  // namespace spanloom::sdk
