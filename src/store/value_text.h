// SPDX-License-Identifier: Apache-2.0
//
// Attribute values as text: what a condition of a query is compared with, and what an interface without arrays and maps
// (Jaeger's tags) shows in their place. One definition, so that what is shown can be searched for.

#pragma once

#include <string>
#include <string_view>

#include "base/json_writer.h"
#include "otlp/views.h"

namespace spanloom::store {

// Strings and bytes as they are, numbers in decimal (doubles in the shortest form that reads back; "NaN", "Infinity",
// "-Infinity"), bools as "true" or "false", arrays and maps as JSON, no value as "".
[[nodiscard]] std::string ValueText(const otlp::ValueView& value);

// A double as ValueText writes it.
[[nodiscard]] std::string DoubleText(double value);

// True if ValueText(value) == text. Allocates nothing for strings, bytes and bools.
[[nodiscard]] bool ValueHasText(const otlp::ValueView& value, std::string_view text);

// Writes the value as JSON: bytes in base64, doubles that JSON cannot say as strings, no value as null, maps in the
// order in which they came. Recursion is bounded by otlp::kValueDepthMax.
void WriteValueJson(const otlp::ValueView& value, JsonWriter& json);

}  // namespace spanloom::store
