// SPDX-License-Identifier: Apache-2.0
//
// What a span of ours says about itself: a key and a value of one of OpenTelemetry's types, or a list of one of them.

#pragma once

#include <absl/container/inlined_vector.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "otlp/writer.h"

namespace spanloom::sdk {

// A list of texts, whole numbers, numbers or truths, kept as the AnyValue that is sent.
struct ListValue {
  std::string any_value;

  // Each text is cut after `text_length` characters, and made valid UTF-8.
  static ListValue Of(std::span<const std::string> texts, size_t text_length);
  static ListValue Of(std::span<const int64_t> numbers);
  static ListValue Of(std::span<const double> numbers);
  static ListValue Of(std::span<const bool> truths);
};

struct Attribute {
  std::string_view key;  // of static storage: a literal or a name of semconv
  std::variant<bool, int64_t, double, std::string, ListValue> value;
};

// Twelve are kept without an allocation of their own: spans of routers and model servers carry six to twelve.
using Attributes = absl::InlinedVector<Attribute, 12>;

// Texts that are not UTF-8 are sent with U+FFFD in place of what is wrong: a receiver would refuse all spans of the
// request for one such text.
void WriteAttributes(const Attributes& attributes, otlp::AttributeWriter& writer);

}  // namespace spanloom::sdk
