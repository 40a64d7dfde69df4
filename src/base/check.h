// SPDX-License-Identifier: Apache-2.0
//
// CHECK and DCHECK: "we are wrong", never "the input is wrong" (STYLE.md, section on failure). Abseil of Debian 12
// (20220623) has no absl/log, so these two are ours.

#pragma once

namespace spanloom {

// Writes `file:line: CHECK failed: condition` to standard error and aborts the process.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace spanloom

// Stops the process, in every build, when an invariant of ours is broken.
#define CHECK(condition)                                       \
  do {                                                         \
    if (!(condition)) [[unlikely]]                             \
      ::spanloom::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

// The same for hot code: compiled out in release builds.
#ifdef SPANLOOM_ASSERTIONS
#define DCHECK(condition) CHECK(condition)
#else
#define DCHECK(condition)                    \
  do {                                       \
    if (false) static_cast<void>(condition); \
  } while (false)
#endif
