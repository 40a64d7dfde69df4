// SPDX-License-Identifier: Apache-2.0
//
// How spans are brought together before they are sent: what a `batch` processor does, or a sending queue in its place.

#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace spanloom::pipeline {

struct Grouping {
  static constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

  // A group is sent when it has one of these, and is cut at the others.
  size_t spans_min = 8'192;
  size_t spans_max = kNoLimit;
  size_t bytes_min = 3 << 20;  // before compression; BatchLimits::batch_bytes_max says why
  size_t bytes_max = 3 << 20;
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(200);  // that the first waits for others
  std::vector<std::string> metadata_keys = {};                        // headers by which groups are kept apart

  friend bool operator==(const Grouping&, const Grouping&) = default;
};

}  // namespace spanloom::pipeline
