// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/span_dimensions.h"

#include <absl/algorithm/container.h>

#include <array>
#include <charconv>
#include <cstdint>

#include "otlp/wire/writer.h"
#include "store/value_text.h"

namespace spanloom::pipeline {
namespace {

std::string EncodeText(std::string_view text) {
  std::string wire;
  otlp::wire::Writer(wire).Bytes(otlp::field::Value::kString, text);
  return wire;
}

void AppendValue(const otlp::ValueView& value, std::string& key) {
  using Kind = otlp::ValueView::Kind;
  if (value.kind() == Kind::kString) return AppendToKey(value.string_value(), key);
  if (value.kind() != Kind::kInt) return AppendToKey(store::ValueText(value), key);
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.int_value()).ptr;
  AppendToKey({digits.data(), static_cast<size_t>(end - digits.data())}, key);
}

}  // namespace

void AppendToKey(std::string_view text, std::string& key) {
  const auto size = static_cast<uint32_t>(text.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof(size));
  key.append(text);
}

SpanDimensions::SpanDimensions(const std::vector<DimensionOptions>& first,
                               const std::vector<DimensionOptions>& second) {
  for (const auto* list : {&first, &second}) {
    for (const DimensionOptions& options : *list) {
      const auto text = options.DefaultText();
      const std::string default_wire = text ? EncodeText(*text) : "";
      const auto known = absl::c_find_if(dimensions_, [&](const Dimension& d) { return d.name == options.name; });
      if (known == dimensions_.end()) {
        dimensions_.push_back({options.name, default_wire});
      } else if (text) {
        known->default_wire = default_wire;
      }
    }
  }
}

SpanDimensions::Values SpanDimensions::Defaults() const {
  Values values;
  for (const Dimension& dimension : dimensions_) {
    values.push_back(dimension.default_wire.empty() ? std::nullopt
                                                    : std::optional(otlp::ValueView(dimension.default_wire)));
  }
  return values;
}

void SpanDimensions::OverlayRead(const otlp::AttributeView& attribute, Values& values) const {
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    if (dimensions_[i].name == attribute.key()) values[i] = attribute.value();
  }
}

void SpanDimensions::AppendKey(const Values& values, std::string& key) const {
  for (const auto& value : values) {
    key.push_back(value ? '+' : '-');
    if (value) AppendValue(*value, key);
  }
}

void SpanDimensions::Write(const Values& values, otlp::AttributeWriter& writer) const {
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    if (values[i]) writer.Encoded(dimensions_[i].name, values[i]->wire());
  }
}

}  // namespace spanloom::pipeline
