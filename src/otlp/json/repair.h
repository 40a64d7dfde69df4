// SPDX-License-Identifier: Apache-2.0
//
// The second look at a request body that simdjson refused. Real senders write three things that RFC 8259 or 64 bits do
// not allow for; losing a batch of 512 spans over one of them would be out of proportion, so they are mended. All else
// that is wrong gets the byte offset that simdjson's DOM does not tell.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::otlp {

inline constexpr int kJsonDepthMax = 512;  // values nested kValueDepthMax deep need about 280; guess

// The same document, mended:
//   escape of half a surrogate pair ("\ud83d")      -> "\ufffd"
//   byte that is not part of a UTF-8 sequence       -> U+FFFD
//   integer beyond 64 bits (18446744073709552000)   -> the same with ".0", which is read as a double
// kInvalidArgument with the byte offset if it is not JSON, nests deeper than kJsonDepthMax, or has a number that no
// double holds.
StatusOr<std::string> RepairJson(std::string_view json);

}  // namespace spanloom::otlp
