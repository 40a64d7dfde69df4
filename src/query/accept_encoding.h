// SPDX-License-Identifier: Apache-2.0
//
// Which content coding a client takes. RFC 9110, 12.5.3.

#pragma once

#include <string_view>

namespace spanloom::query {

// True if the Accept-Encoding field allows gzip: named, or by "*", with a weight above 0.
[[nodiscard]] bool AcceptsGzip(std::string_view accept_encoding);

}  // namespace spanloom::query
