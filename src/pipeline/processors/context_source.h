// SPDX-License-Identifier: Apache-2.0
//
// What came with a request beside its spans, as an option `from_context` names it: a header, what authentication found
// out, the sender's address.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// Immutable; thread-safe.
class ContextSource {
 public:
  // `name`, as the Collector has it: metadata.KEY, auth.KEY, client.address; what is none of these is the KEY of
  // metadata. Keys of metadata are found in either case.
  explicit ContextSource(std::string_view name);

  // Several values of one key are joined by ";". nullopt if there is none; an address that is not known (over a unix
  // socket; of spans that were not received) is "".
  [[nodiscard]] std::optional<std::string> Find(const otlp::RequestOrigin* origin) const;

 private:
  enum class Kind : uint8_t { kMetadata, kAuth, kAddress };

  Kind kind_ = Kind::kMetadata;
  std::string key_;
};

}  // namespace spanloom::pipeline
