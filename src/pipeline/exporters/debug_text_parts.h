// SPDX-License-Identifier: Apache-2.0
//
// What the texts of all three signals are made of, for debug_text.cc and debug_metrics_text.cc alone.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "otlp/ids.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

// The last value of a field in a message; absent where it was not sent.
struct WireField {
  bool is_there = false;
  uint64_t scalar = 0;
  std::string_view bytes = {};
  [[nodiscard]] double number() const;  // of a double
};
WireField FieldOf(std::string_view message, uint32_t number);

// "2026-11-26 23:00:00.000000005 +0000 UTC".
std::string TimeText(uint64_t unix_ns);
// In hexadecimal; "" for zeros.
template <typename Id>
std::string IdText(const Id& id) {
  return id.IsZero() ? std::string() : id.Hex();
}
std::string IdText(std::string_view id);
// As the verb %f has it: "1.500000", "+Inf".
std::string FixedText(double value);
// As the verb %v has it: "1.5", "1e+06", "+Inf".
std::string GeneralText(double value);

// The value alone: arrays and maps as JSON with keys in order, bytes in base64.
std::string ValueText(const otlp::ValueView& value);
// "Str(a)", "Empty()".
std::string TypedValueText(const otlp::ValueView& value);

template <typename... Parts>
void Line(std::string& out, const Parts&... parts) {
  StrAppend(out, parts..., "\n");
}

// "TITLE:" and a line for each; nothing if there are none. `indent` stands in front of each of them.
template <typename Attributes>
void AttributeLines(std::string_view title, std::string_view indent, const Attributes& attributes, std::string& out) {
  if (attributes.empty()) return;
  Line(out, title, ":");
  for (const otlp::AttributeView attribute : attributes) {
    Line(out, indent, "     -> ", attribute.key(), ": ", TypedValueText(attribute.value()));
  }
}

// "k=v" of each, with `separator` between them.
template <typename Attributes>
std::string AttributesInLine(const Attributes& attributes, std::string_view separator) {
  std::string text;
  for (const otlp::AttributeView attribute : attributes) {
    if (!text.empty()) text += separator;
    StrAppend(text, attribute.key(), "=", ValueText(attribute.value()));
  }
  return text;
}

// Lines about a Metric in wire form.
void NormalMetric(std::string_view metric, std::string& out);
void DetailedMetric(std::string_view metric, std::string& out);

}  // namespace spanloom::pipeline
