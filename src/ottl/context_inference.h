// SPDX-License-Identifier: Apache-2.0
//
// Which context conditions and statements are meant for, where the configuration does not say it: told by what their
// paths begin with.

#pragma once

#include <span>
#include <string>

#include "base/status.h"
#include "ottl/scene.h"

namespace spanloom::ottl {

// The innermost context that a path names: of `resource.attributes["a"]` and `span.name` the span. kInvalidArgument
// quotes a text that cannot be parsed, names a path that begins with no context, or says that there is no path to tell
// by.
StatusOr<Context> InferContext(std::span<const std::string> conditions, std::span<const std::string> statements = {});

}  // namespace spanloom::ottl
