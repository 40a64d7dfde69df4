// SPDX-License-Identifier: Apache-2.0
//
// The fixed parts of a file of request rows. Format: docs/formats/requests.md, "Grammar".

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace spanloom::store::columnar {

inline constexpr uint16_t kRequestFileVersion = 1;
inline constexpr std::string_view kRequestHeaderMagic = std::string_view("SPANREQ\0", 8);
inline constexpr std::string_view kRequestFooterMagic = std::string_view("\0QERNAPS", 8);
inline constexpr uint64_t kRequestHeaderBytes = 16;
inline constexpr uint64_t kRequestFooterBytes = 32;

}  // namespace spanloom::store::columnar
