// SPDX-License-Identifier: Apache-2.0
//
// Values as text, as the Collector writes them, and text as numbers.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ottl/evaluation.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// Go's strconv.FormatFloat(value, 'f', -1, 64): the shortest digits that read back, without an exponent.
[[nodiscard]] std::string FormatDouble(double value);

// Go's time.Duration.String(): "1h0m0s", "1.5s", "500ms".
[[nodiscard]] std::string FormatDuration(int64_t ns);

// JSON as Go's encoding/json writes maps and slices: keys sorted, no spaces, bytes in base64.
[[nodiscard]] std::string FormatJson(const Value& value);

// A double as Go's encoding/json writes it, but for the exponent, which has two digits at least: "2.5", "1e+21",
// "1e-07".
// "" if it is infinite or NaN.
[[nodiscard]] std::string FormatJsonDouble(double value);

// A double as JavaScript writes it, and attributes that become text: "2.5", "1e+21", "1e-7", "NaN", "-Infinity".
[[nodiscard]] std::string FormatPlainDouble(double value);

// What a parameter of type kStringLike gets: strings as they are, bytes in hexadecimal, all else as JSON, where ids are
// lists of their bytes, times quoted as RFC 3339 has them, and durations nanoseconds. nullopt for nil and for what JSON
// cannot write: infinite doubles and NaN. The text lives as long as `value` and the evaluation.
[[nodiscard]] std::optional<std::string_view> LikeString(Evaluation& evaluation, const Value& value);

// An attribute as text, as pcommon.Value.AsString has it: bytes in base64, doubles as in JavaScript, lists and maps
// as JSON without escapes for the sake of HTML, what JSON cannot write as "". The text lives as long as `value` and the
// evaluation.
[[nodiscard]] std::string_view AttributeText(Evaluation& evaluation, const Value& value);

// What a parameter of type kDoubleLike gets; nullopt if it is no number.
[[nodiscard]] std::optional<double> LikeDouble(const Value& value);

// Go's strconv.ParseFloat, less hexadecimal; ParseInt in base 10; and ParseBool.
[[nodiscard]] std::optional<double> ParseDouble(std::string_view text);
[[nodiscard]] std::optional<int64_t> ParseInteger(std::string_view text);
[[nodiscard]] std::optional<bool> ParseBool(std::string_view text);

// Towards zero. What no int64 holds, NaN too, is the smallest one, as in Go on x86-64.
[[nodiscard]] int64_t TruncateDouble(double value);

}  // namespace spanloom::ottl
