// SPDX-License-Identifier: Apache-2.0
//
// What an API server's refusals mean, in words for whoever has to mend it.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::kube {

// The error of an answer with HTTP status `http_status`, or of an ERROR event of a watch with that code. `body` is what
// came with it, a Status object or a text; `what` begins the message ("GET https://..."); `permission` is the rule that
// the request takes (RbacRule).
//   401 kUnauthenticated; 403 kPermissionDenied, which names the rule to add; 404 kNotFound; 410 kOutOfRange, what was
//   asked for is no longer known: list again; 400, 406, 422 kInvalidArgument; 429 and 5xx kUnavailable; others
//   kUnknown.
[[nodiscard]] Status ApiError(int http_status, std::string_view body, std::string_view what,
                              std::string_view permission);

}  // namespace spanloom::kube
