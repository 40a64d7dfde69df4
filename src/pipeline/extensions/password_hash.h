// SPDX-License-Identifier: Apache-2.0
//
// Passwords as htpasswd files keep them. What is computed is OpenSSL's and libcrypt's (docs/decisions/
// 0020-who-may-send.md).

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::pipeline {

// True if both are the same. Takes as long wherever they differ.
[[nodiscard]] bool SameSecret(std::string_view left, std::string_view right);

// 32 bytes that nobody can guess.
[[nodiscard]] std::string RandomKey();

// HMAC-SHA-256, 32 bytes.
[[nodiscard]] std::string KeyedDigest(std::string_view key, std::string_view text);

// One stored password. Immutable.
class PasswordHash {
 public:
  // By how `text` begins: "$apr1$" (MD5 of Apache), "$1$" (MD5), "$2a$", "$2b$", "$2x$", "$2y$" (bcrypt), "$5$", "$6$"
  // (SHA-256, SHA-512), "{SHA}", "{SSHA}"; anything else is the password itself. kInvalidArgument if what follows
  // can't be of its kind.
  static StatusOr<PasswordHash> Parse(std::string_view text);

  // Takes up to seconds if it is slow. Thread-safe.
  [[nodiscard]] bool Matches(std::string_view password) const;

  // True if it is made to be slow: not for a loop.
  [[nodiscard]] bool is_slow() const { return kind_ == Kind::kCrypt || kind_ == Kind::kApacheMd5; }

 private:
  enum class Kind { kPlain, kSha1, kApacheMd5, kCrypt };
  PasswordHash(Kind kind, std::string text, std::string salt)
      : kind_(kind), text_(std::move(text)), salt_(std::move(salt)) {}

  Kind kind_;
  std::string text_;  // what must come out
  std::string salt_;  // of kSha1 and kApacheMd5
};

}  // namespace spanloom::pipeline
