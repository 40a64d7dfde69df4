// SPDX-License-Identifier: Apache-2.0
//
// What a rule counts, with a trace to look at.

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace spanloom::doctor {

struct Counted {
  size_t count = 0;
  std::string example = {};  // a trace's id: the worst one, or the first
  int64_t worst_us = 0;

  void Add(const std::string& trace, int64_t value_us = 0) {
    if (count++ == 0 || value_us > worst_us) example = trace;
    worst_us = std::max(worst_us, value_us);
  }
};

}  // namespace spanloom::doctor
