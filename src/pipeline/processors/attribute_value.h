// SPDX-License-Identifier: Apache-2.0
//
// Attribute values as the Collector's processors see them: as text, compared with others, and written in a
// configuration.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "config/node.h"
#include "otlp/views.h"

namespace spanloom::pipeline {

// Strings as they are, bools as words, numbers in decimal without an exponent; nullopt for every other kind.
[[nodiscard]] std::optional<std::string> ScalarText(const otlp::ValueView& value);

// Every kind, as the Collector's AsString gives it: doubles with an exponent below 1e-6 and from 1e21 on, bytes in
// base64, arrays and maps as JSON with keys in order, no value as "". Recursion is bounded by otlp::kValueDepthMax.
[[nodiscard]] std::string ValueAsString(const otlp::ValueView& value);

// `text` as Go's ParseInt and ParseFloat read a decimal number, with a sign or without; nullopt if it is none, out of
// range, or more than a number.
[[nodiscard]] std::optional<int64_t> ReadWholeNumber(std::string_view text);
[[nodiscard]] std::optional<double> ReadDecimal(std::string_view text);

// True if both are of one kind and equal; of maps whatever the order of their entries.
[[nodiscard]] bool AreEqual(const otlp::ValueView& a, const otlp::ValueView& b);

// A value that was written in a configuration: a scalar of the type that YAML gives it, a list or a map. Immutable.
class ConfiguredValue {
 public:
  // kInvalidArgument: it nests deeper than kValueDepthMax.
  static StatusOr<ConfiguredValue> Make(const config::Node& node);

  // Borrows from this value.
  [[nodiscard]] otlp::ValueView view() const { return otlp::ValueView(wire_); }

 private:
  explicit ConfiguredValue(std::string wire) : wire_(std::move(wire)) {}

  std::string wire_;  // AnyValue
};

}  // namespace spanloom::pipeline
