// SPDX-License-Identifier: Apache-2.0
//
// Digests of texts, by OpenSSL (docs/decisions/0017, 0018): what converters give, and what processors put in the place
// of values that must not be passed on.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::ottl {

enum class Digest : uint8_t { kMd5, kSha1, kSha256, kSha512, kSha3 };

// Raw bytes: 16, 20, 32, 64, or 32 of SHA3-256.
[[nodiscard]] std::string DigestOf(Digest digest, std::string_view text);
// The HMAC of `text` (RFC 2104), of that size.
[[nodiscard]] std::string HmacOf(Digest digest, std::string_view key, std::string_view text);

// The same in lower-case hexadecimal.
[[nodiscard]] std::string HexDigest(Digest digest, std::string_view text);
[[nodiscard]] std::string HexHmac(Digest digest, std::string_view key, std::string_view text);

}  // namespace spanloom::ottl
