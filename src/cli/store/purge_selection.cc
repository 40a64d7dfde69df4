// SPDX-License-Identifier: Apache-2.0

#include "cli/store/purge_selection.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include "base/text.h"
#include "net/http.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::Condition;
using spanloom::store::Field;
using spanloom::store::Intrinsic;
using spanloom::store::Predicate;
using spanloom::store::PurgePlan;
using spanloom::store::TimeRange;
using spanloom::store::Value;

// RFC 3986, section 2.1: everything but what needs no escape.
std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      encoded += c;
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<uint8_t>(c));
    }
  }
  return encoded;
}

StatusOr<uint64_t> ParseNumber(const std::string& name, const std::string& text) {
  uint64_t number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(StrCat(name, ": \"", text, "\" is no number"));
}

}  // namespace

bool PurgeSelection::IsEverything() const {
  return *this == PurgeSelection();
}

PurgePlan PurgeSelection::Plan() const {
  PurgePlan plan = {.traces = traces, .starts = starts, .where = {}};
  if (service) {
    plan.where = Predicate(Condition{.field = Field::Of(Intrinsic::kService), .operand = Value::String(*service)});
  }
  return plan;
}

std::string PurgeSelection::ToQuery() const {
  std::vector<std::string> parameters;
  for (const otlp::TraceId& id : traces) parameters.push_back(StrCat("trace=", id.Hex()));
  if (starts.begin_unix_ns > 0) parameters.push_back(StrCat("from_unix_ns=", starts.begin_unix_ns));
  if (starts.end_unix_ns != TimeRange::kForEver) parameters.push_back(StrCat("until_unix_ns=", starts.end_unix_ns));
  if (service) parameters.push_back(StrCat("service=", PercentEncode(*service)));
  return absl::StrJoin(parameters, "&");
}

StatusOr<PurgeSelection> PurgeSelection::FromQuery(std::string_view query) {
  PurgeSelection selection;
  for (const auto& [name, value] : net::ParseQuery(query)) {
    if (name == "trace") {
      const auto id = otlp::ParseTraceId(value);
      if (!id) return absl::InvalidArgumentError(StrCat("trace: \"", value, "\" is no trace id"));
      selection.traces.push_back(*id);
    } else if (name == "from_unix_ns") {
      ASSIGN_OR_RETURN(selection.starts.begin_unix_ns, ParseNumber(name, value));
    } else if (name == "until_unix_ns") {
      ASSIGN_OR_RETURN(selection.starts.end_unix_ns, ParseNumber(name, value));
    } else if (name == "service") {
      selection.service = value;
    } else {
      return absl::InvalidArgumentError(StrCat("there is no parameter ", name));  // rather than purging too much
    }
  }
  return selection;
}

}  // namespace spanloom::cli::store
