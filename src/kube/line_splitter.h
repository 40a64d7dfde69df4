// SPDX-License-Identifier: Apache-2.0
//
// A stream of pieces as lines. A line longer than a limit is not kept in memory but left out, and counted.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::kube {

// Thread-compatible. Holds at most `line_bytes_max` bytes of a line that is not complete.
class LineSplitter {
 public:
  explicit LineSplitter(size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  // Takes the next piece and appends the lines that it completes to `lines`, without their ends; empty ones are left
  // out.
  void Take(std::string_view piece, std::vector<std::string>& lines);

  // True if the stream stopped within a line.
  [[nodiscard]] bool is_within_line() const { return !line_.empty() || is_too_long_; }
  [[nodiscard]] size_t too_long_lines() const { return too_long_lines_; }

 private:
  void Extend(std::string_view part);

  size_t line_bytes_max_;
  std::string line_;
  bool is_too_long_ = false;  // the rest of this line is left out
  size_t too_long_lines_ = 0;
};

}  // namespace spanloom::kube
