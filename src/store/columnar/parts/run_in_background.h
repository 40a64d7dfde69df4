// SPDX-License-Identifier: Apache-2.0
//
// How work gets to the background thread, which alone changes the catalogue and the segments of the parts.

#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/functional/function_ref.h>

namespace spanloom::store::columnar {

// Runs a task there, and waits for its end. Not to be called on that thread.
using RunInBackground = absl::AnyInvocable<void(absl::FunctionRef<void()>) const>;

}  // namespace spanloom::store::columnar
