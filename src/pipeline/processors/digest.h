// SPDX-License-Identifier: Apache-2.0
//
// Digests that stand in the place of values which must not be passed on. OpenSSL's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::pipeline {

enum class Digest : uint8_t { kMd5, kSha1, kSha256, kSha512, kSha3_256 };

// The digest of `text`, in lower-case hexadecimal.
[[nodiscard]] std::string HexDigest(Digest digest, std::string_view text);

// The HMAC of `text` (RFC 2104), in lower-case hexadecimal.
[[nodiscard]] std::string HexHmac(Digest digest, std::string_view key, std::string_view text);

}  // namespace spanloom::pipeline
