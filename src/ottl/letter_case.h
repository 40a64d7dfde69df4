// SPDX-License-Identifier: Apache-2.0
//
// Upper, lower, snake and camel case.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::ottl {

// Each letter of Unicode by itself, as Go's strings.ToLower and ToUpper do.
[[nodiscard]] std::string ToLower(std::string_view text);
[[nodiscard]] std::string ToUpper(std::string_view text);

// "myMetricName" and "my-metric.name" become "my_metric_name"; a number is a word of its own. ASCII letters alone
// count.
[[nodiscard]] std::string ToSnakeCase(std::string_view text);

// "my_metric_name" becomes "MyMetricName".
[[nodiscard]] std::string ToCamelCase(std::string_view text);

}  // namespace spanloom::ottl
