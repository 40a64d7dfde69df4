// SPDX-License-Identifier: Apache-2.0
//
// The values that keep series of span_metrics apart: attributes of spans, of events and of resources, found in one walk
// over each.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/views.h"
#include "otlp/writer.h"
#include "pipeline/connectors/span_metrics_options.h"

namespace spanloom::pipeline {

// Appends a text to a key so that no two sequences of texts make the same key.
void AppendToKey(std::string_view text, std::string& key);

// Immutable.
class SpanDimensions {
 public:
  // [dimensions]; borrowed from the attributes they were found in. Nullopt: there is none, nor a default.
  using Values = std::vector<std::optional<otlp::ValueView>>;

  // Those of both lists, in order. One that is in both is one, with the default of the second if that has one.
  SpanDimensions(const std::vector<DimensionOptions>& first, const std::vector<DimensionOptions>& second);

  [[nodiscard]] bool empty() const { return dimensions_.empty(); }
  // The defaults, which the dimensions keep.
  [[nodiscard]] Values Defaults() const;

  // Puts what the attributes of `message`, its fields kField, have in the place of what `values` has.
  template <uint32_t kField>
  void Overlay(std::string_view message, Values& values) const {
    if (dimensions_.empty()) return;
    for (const std::string_view attribute : otlp::RepeatedView<std::string_view, kField>(message)) {
      OverlayOne(attribute, values);
    }
  }

  // Values of different types count as one if they read the same: they are one in Prometheus.
  void AppendKey(const Values& values, std::string& key) const;
  void Write(const Values& values, otlp::AttributeWriter& writer) const;

 private:
  struct Dimension {
    std::string name;
    std::string default_wire;  // an AnyValue; "" if there is none
  };

  static constexpr uint8_t kKeyTag = otlp::field::KeyValue::kKey << 3 | 2;
  static constexpr size_t kHeadSize = 2;  // tag, and the size of a short key

  // Looks at the key alone where it stands first, as it does: to read the value too costs five times as much.
  void OverlayOne(std::string_view attribute, Values& values) const {
    const bool is_plain = attribute.size() >= kHeadSize && static_cast<uint8_t>(attribute[0]) == kKeyTag &&
                          static_cast<uint8_t>(attribute[1]) < 0x80;
    if (!is_plain) return OverlayRead(otlp::AttributeView(attribute), values);
    const std::string_view key = attribute.substr(kHeadSize, static_cast<uint8_t>(attribute[1]));
    for (const Dimension& dimension : dimensions_) {
      if (dimension.name == key) return OverlayRead(otlp::AttributeView(attribute), values);
    }
  }
  void OverlayRead(const otlp::AttributeView& attribute, Values& values) const;

  std::vector<Dimension> dimensions_;
};

}  // namespace spanloom::pipeline
