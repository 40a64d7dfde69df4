// SPDX-License-Identifier: Apache-2.0
//
// Which spans a purge is to remove, as the command line says it and as a server is told.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/retention.h"
#include "store/time_range.h"

namespace spanloom::cli::store {

// A span is meant if all that is said holds. A value.
struct PurgeSelection {
  std::vector<otlp::TraceId> traces = {};             // of one of these, if any
  spanloom::store::TimeRange starts = {};             // that start within
  std::optional<std::string> service = std::nullopt;  // of this service

  // True if nothing is said: every span is meant.
  [[nodiscard]] bool IsEverything() const;
  [[nodiscard]] spanloom::store::PurgePlan Plan() const;

  // As the query of a URL, and back. kInvalidArgument names the parameter.
  [[nodiscard]] std::string ToQuery() const;
  [[nodiscard]] static StatusOr<PurgeSelection> FromQuery(std::string_view query);

  friend bool operator==(const PurgeSelection&, const PurgeSelection&) = default;
};

}  // namespace spanloom::cli::store
