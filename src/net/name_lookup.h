// SPDX-License-Identifier: Apache-2.0
//
// The addresses of a name, for those who are to know all of them.

#pragma once

#include <absl/functional/any_invocable.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "net/loop.h"

namespace spanloom::net {

// "10.0.0.7", "fd00::7"; sorted, each once, never empty.
using LookedUp = absl::AnyInvocable<void(StatusOr<std::vector<std::string>>)>;

// Asks the machine's resolver. `done` is called once, on the loop, or destroyed uncalled if the loop ends before: the
// resolver can't be told to hurry. Errors: kUnavailable names `host` and the reason. Thread-safe.
void LookUpName(Loop& loop, std::string host, LookedUp done);

}  // namespace spanloom::net
