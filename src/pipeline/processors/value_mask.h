// SPDX-License-Identifier: Apache-2.0
//
// What stands in the place of a text that must not be passed on: asterisks, or a digest of it.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "ottl/digest.h"

namespace spanloom::pipeline {

// Immutable; thread-safe.
class ValueMask {
 public:
  // `function`, in either case: md5, sha1, sha3 (SHA3-256), hmac-sha256 or hmac-sha512 (with `key`, of at least 32 and
  // 64 bytes; the others take no notice of it); "" for asterisks. kInvalidArgument begins with the key of the redaction
  // processor that is wrong.
  static StatusOr<ValueMask> Make(std::string_view function, std::string_view key);

  // "****", or the digest in lower-case hexadecimal.
  [[nodiscard]] std::string Of(std::string_view text) const;

 private:
  ValueMask(std::optional<ottl::Digest> digest, std::string key) : digest_(digest), key_(std::move(key)) {}

  std::optional<ottl::Digest> digest_;  // nullopt: asterisks
  std::string key_;                     // of an HMAC; "" if it is none
};

}  // namespace spanloom::pipeline
