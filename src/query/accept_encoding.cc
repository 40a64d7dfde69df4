// SPDX-License-Identifier: Apache-2.0

#include "query/accept_encoding.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <optional>
#include <utility>

#include "base/text.h"

namespace spanloom::query {
namespace {

// The weight among the parameters of one element, "q=0.5"; 1 if they say none, 0 if it is not a number.
double WeightIn(absl::string_view parameters) {
  for (absl::string_view parameter : absl::StrSplit(parameters, ';', absl::SkipWhitespace())) {
    parameter = absl::StripAsciiWhitespace(parameter);
    if (!absl::StartsWithIgnoreCase(parameter, "q=")) continue;
    double weight = 0;
    return absl::SimpleAtod(parameter.substr(2), &weight) ? weight : 0;
  }
  return 1;
}

// The weight that the field gives to `coding`; nullopt if it does not name it.
std::optional<double> WeightOf(absl::string_view coding, std::string_view accept_encoding) {
  for (const absl::string_view element : absl::StrSplit(AbslView(accept_encoding), ',')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(element, absl::MaxSplits(';', 1));
    if (absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(parts.first), coding)) return WeightIn(parts.second);
  }
  return std::nullopt;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  const std::optional<double> weight = WeightOf("gzip", accept_encoding);
  return weight.value_or(WeightOf("*", accept_encoding).value_or(0)) > 0;
}

}  // namespace spanloom::query
