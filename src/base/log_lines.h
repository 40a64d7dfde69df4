// SPDX-License-Identifier: Apache-2.0
//
// Texts of several lines in the log: for those who were asked to show something, such as the debug exporter.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/log_line.h"

namespace spanloom {

// Writes `text` past the sampling. As text its line breaks are kept, so whoever wrote what is in it may write what
// looks like a line of the log; in JSON it is one line. Other control characters are escaped. Thread-safe; never
// throws; more than 4 MiB are cut (guess).
void LogLines(LogLevel level, std::string_view text, std::initializer_list<LogField> fields = {});

// What LogLines writes, without the trailing newline. `unix_ns` is the time shown, in UTC.
std::string FormatLogLines(LogFormat format, LogLevel level, std::string_view text,
                           std::initializer_list<LogField> fields, int64_t unix_ns, const LogConstants& constants = {});

}  // namespace spanloom
