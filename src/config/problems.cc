// SPDX-License-Identifier: Apache-2.0

#include "config/problems.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace spanloom::config {

void Problems::Add(std::string_view path, std::string_view text, const Source& source) {
  std::string line = source.ToString();
  for (const std::string_view part : {path, text}) {
    if (!part.empty()) StrAppend(line, line.empty() ? "" : ": ", part);
  }
  problems_.push_back({.text = std::move(line), .file = source.file, .line = source.line});
}

void Problems::Add(const Status& status) {
  for (const absl::string_view line : absl::StrSplit(status.message(), '\n')) Add(std::string(line));
}

std::vector<std::string> Problems::lines() const {
  std::vector<std::string> lines;
  for (const Problem& problem : problems_) lines.push_back(problem.text);
  return lines;
}

Status Problems::ToStatus() const {
  if (problems_.empty()) return absl::OkStatus();
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  const auto append_text = [](std::string* out, const Problem& problem) { out->append(problem.text); };
  return absl::InvalidArgumentError(absl::StrJoin(sorted, "\n", append_text));
}

}  // namespace spanloom::config
