// SPDX-License-Identifier: Apache-2.0
//
// Who is given the lines of the process log beside its outputs, to send them elsewhere.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>

#include "base/log_line.h"

namespace spanloom {

// The fields under the names that they are written with. `is_literal`: a number or truth value.
void ForEachLogField(std::initializer_list<LogField> fields,
                     absl::FunctionRef<void(std::string_view key, std::string_view value, bool is_literal)> emit);

// A line as it is written: behind the level and the sampling. Borrowed.
struct LogLine {
  LogLevel level = LogLevel::kInfo;
  std::string_view message = {};
  std::initializer_list<LogField> fields = {};
  int64_t unix_ns = 0;
};

// Called from any thread, for several lines at once; must be quick, and must not log.
using LogTap = std::function<void(const LogLine& line)>;

// From now on `tap` is given each line; null: nobody is. The one before may still be given lines that are under way.
// Thread-safe.
void SetLogTap(std::shared_ptr<const LogTap> tap);

}  // namespace spanloom
