// SPDX-License-Identifier: Apache-2.0

#include "config/problems.h"

#include <absl/strings/str_join.h>

#include "base/text.h"

namespace spanloom::config {

void Problems::Add(std::string_view path, std::string_view text, const Source& source) {
  const std::string where = source.ToString();
  lines_.push_back(StrCat(path, path.empty() ? "" : ": ", text, where.empty() ? "" : StrCat(" (", where, ")")));
}

Status Problems::ToStatus() const {
  if (lines_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
}

}  // namespace spanloom::config
