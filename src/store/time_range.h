// SPDX-License-Identifier: Apache-2.0
//
// A stretch of time that questions to a store are about.

#pragma once

#include <cstdint>
#include <limits>

namespace spanloom::store {

// Half open, so that [a, c) is [a, b) and [b, c) and nothing twice. The default is all of time.
struct TimeRange {
  static constexpr uint64_t kForEver = std::numeric_limits<uint64_t>::max();

  uint64_t begin_unix_ns = 0;
  uint64_t end_unix_ns = kForEver;  // kForEver: no end; the last nanosecond that 64 bits can say is included

  [[nodiscard]] bool Contains(uint64_t unix_ns) const {
    return unix_ns >= begin_unix_ns && (unix_ns < end_unix_ns || end_unix_ns == kForEver);
  }
  // False if nothing from `first_unix_ns` to `last_unix_ns`, inclusive, can lie in it.
  [[nodiscard]] bool Overlaps(uint64_t first_unix_ns, uint64_t last_unix_ns) const {
    return last_unix_ns >= begin_unix_ns && (first_unix_ns < end_unix_ns || Contains(first_unix_ns));
  }
  [[nodiscard]] bool IsEmpty() const { return begin_unix_ns >= end_unix_ns; }

  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

}  // namespace spanloom::store
