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

// The innermost context that a path names: of `resource.attributes["a"]` and `span.name` the span. If that has not the
// functions or enums that are used, one further in that has: for enums of spans their events, as in the Collector.
// kInvalidArgument quotes a text that cannot be parsed, names a path that begins with no context, or says that there is
// no path to tell by, or what the context has not.
StatusOr<Context> InferContext(std::span<const std::string> conditions, std::span<const std::string> statements = {});

}  // namespace spanloom::ottl
