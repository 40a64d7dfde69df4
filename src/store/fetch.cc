// SPDX-License-Identifier: Apache-2.0

#include "store/fetch.h"

#include <algorithm>

#include "base/text.h"

namespace spanloom::store {

bool FetchPlan::needs_trace() const {
  return std::any_of(fields.begin(), fields.end(), [](const Field& field) { return field.needs_trace(); });
}

Status FetchPlan::Validate() const {
  if (spansets.empty() || spansets.size() > kSpansetsMax) {
    return absl::InvalidArgumentError(StrCat(spansets.size(), " spansets; 1 to ", kSpansetsMax, " are allowed"));
  }
  if (fields.size() > kFieldsMax) {
    return absl::InvalidArgumentError(StrCat(fields.size(), " fields; at most ", kFieldsMax, " are allowed"));
  }
  if (after && order != Order::kNewestFirst) {
    return absl::InvalidArgumentError("`after` needs the order of newest first");
  }
  for (const Predicate& spanset : spansets) RETURN_IF_ERROR(spanset.Validate());
  return absl::OkStatus();
}

}  // namespace spanloom::store
