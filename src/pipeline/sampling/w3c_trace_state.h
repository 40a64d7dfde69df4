// SPDX-License-Identifier: Apache-2.0
//
// A span's tracestate: W3C Trace Context Level 2, "tracestate header field values".

#pragma once

#include <optional>
#include <string_view>

namespace spanloom::pipeline {

// The value of `key` in `trace_state`; nullopt if it is not there, or if the whole is malformed: a member without "=",
// a key or value of characters that are not allowed, a key twice, more than 32 members. Empty members are passed over.
[[nodiscard]] std::optional<std::string_view> FindInTraceState(std::string_view trace_state, std::string_view key);

}  // namespace spanloom::pipeline
