// SPDX-License-Identifier: Apache-2.0
//
// Whether a server answers yet.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "net/loop.h"

namespace spanloom::cli::demo {

// True if GET http://`endpoint``path` is answered with 200 within `patience`. Asks once; blocks; not on a loop's
// thread.
bool Answers(net::Loop& loop, const std::string& endpoint, const std::string& path, std::chrono::milliseconds patience);

}  // namespace spanloom::cli::demo
