// SPDX-License-Identifier: Apache-2.0
//
// Digests of texts, by OpenSSL (docs/decisions/0017).

#pragma once

#include <string>
#include <string_view>

namespace spanloom::ottl {

// Raw bytes.
[[nodiscard]] std::string Md5(std::string_view text);     // 16
[[nodiscard]] std::string Sha1(std::string_view text);    // 20
[[nodiscard]] std::string Sha256(std::string_view text);  // 32
[[nodiscard]] std::string Sha512(std::string_view text);  // 64

}  // namespace spanloom::ottl
