// SPDX-License-Identifier: Apache-2.0
//
// A span's tracestate. Specification: W3C Trace Context Level 2, "tracestate header field values"; where that leaves
// room, as the Collector reads it: a key that begins with a digit has a tenant, "1a@b".

#pragma once

#include <absl/container/inlined_vector.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spanloom::otlp {

// Borrows the text that it was read from. Thread-compatible.
class TraceState {
 public:
  // nullopt if `text` is malformed: a member without "=", a key or value of characters that are not allowed or too
  // long, a key twice, more than 32 members. Empty members are passed over.
  static std::optional<TraceState> Parse(std::string_view text);

  // nullopt if there is no such member.
  [[nodiscard]] std::optional<std::string_view> Find(std::string_view key) const;

  // The text with this member in front, in place of one of that key, and at most 32 in all; nullopt if key or value
  // are not allowed.
  [[nodiscard]] std::optional<std::string> With(std::string_view key, std::string_view value) const;

 private:
  absl::InlinedVector<std::pair<std::string_view, std::string_view>, 4> members_;
};

}  // namespace spanloom::otlp
