// SPDX-License-Identifier: Apache-2.0
//
// The Date header (RFC 9110, 6.6.1), written once a second on each loop.

#pragma once

#include <array>
#include <ctime>
#include <string_view>

namespace spanloom::net {

// Sequence-bound: its loop.
class DateText {
 public:
  // `now` as "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the next call.
  std::string_view At(std::time_t now);

 private:
  std::time_t second_ = -1;
  std::array<char, 30> text_{};  // with the 0 that strftime writes
};

}  // namespace spanloom::net
