// SPDX-License-Identifier: Apache-2.0

#include "query/accept_encoding.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <optional>

#include "base/text.h"

namespace spanloom::query {
namespace {

// The weight of one element, "gzip;q=0.5"; 1 if it says none, 0 if it is not a number.
double WeightOf(absl::string_view parameters) {
  for (absl::string_view parameter : absl::StrSplit(parameters, ';', absl::SkipWhitespace())) {
    parameter = absl::StripAsciiWhitespace(parameter);
    if (!absl::StartsWithIgnoreCase(parameter, "q=")) continue;
    double weight = 0;
    return absl::SimpleAtod(parameter.substr(2), &weight) ? weight : 0;
  }
  return 1;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  std::optional<double> gzip;
  std::optional<double> any;
  for (const absl::string_view element : absl::StrSplit(AbslView(accept_encoding), ',')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(element, absl::MaxSplits(';', 1));
    const absl::string_view coding = absl::StripAsciiWhitespace(parts.first);
    if (absl::EqualsIgnoreCase(coding, "gzip") || absl::EqualsIgnoreCase(coding, "x-gzip"))
      gzip = WeightOf(parts.second);
    if (coding == "*") any = WeightOf(parts.second);
  }
  return gzip.value_or(any.value_or(0)) > 0;
}

}  // namespace spanloom::query
