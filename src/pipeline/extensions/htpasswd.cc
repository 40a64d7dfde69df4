// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/htpasswd.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {

Status Htpasswd::Add(std::string_view text) {
  int number = 0;
  for (absl::string_view line : absl::StrSplit(AbslView(text), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos || colon == 0) {
      return absl::InvalidArgumentError(StrCat("line ", number, " is not USER:PASSWORD"));
    }
    StatusOr<PasswordHash> hash = PasswordHash::Parse(StdView(line.substr(colon + 1)));
    if (!hash.ok()) return Annotate(hash.status(), StrCat("line ", number));
    users_.insert_or_assign(std::string(line.substr(0, colon)), *std::move(hash));
  }
  return absl::OkStatus();
}

const PasswordHash* Htpasswd::Find(std::string_view user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &found->second;
}

const PasswordHash* Htpasswd::AnyHash() const {
  return users_.empty() ? nullptr : &users_.begin()->second;
}

}  // namespace spanloom::pipeline
