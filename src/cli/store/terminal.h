// SPDX-License-Identifier: Apache-2.0
//
// Where a verb reads and writes, and how it is told to stop.

#pragma once

#include <istream>
#include <ostream>
#include <stop_token>

#include "base/clock.h"

namespace spanloom::cli::store {

// All must outlive the verb.
struct Terminal {
  std::istream& in;
  std::ostream& out;  // what was asked for
  std::ostream& err;  // progress and errors
  bool err_is_terminal = false;
  std::stop_token stop;
  const Clock& clock;
};

}  // namespace spanloom::cli::store
