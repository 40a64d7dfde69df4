// SPDX-License-Identifier: Apache-2.0
//
// All that is wrong with a configuration, collected so that a user sees it at once.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

// Thread-compatible.
class Problems {
 public:
  // "PATH: TEXT (FILE:LINE)", as in `processors::batch: has invalid keys: foo (config.yaml:12)`.
  void Add(std::string_view path, std::string_view text, const Source& source);
  void Add(std::string line) { lines_.push_back(std::move(line)); }

  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  // OK if there are none, else kInvalidArgument with a line each.
  [[nodiscard]] Status ToStatus() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace spanloom::config
