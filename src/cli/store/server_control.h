// SPDX-License-Identifier: Apache-2.0
//
// Asks the server that has a store's directory to do something with it (app/store_control.h).

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace spanloom::cli::store {

// Where a server listens for this, in the directory itself, so that who may write there may ask.
[[nodiscard]] std::string ControlEndpoint(const std::string& directory);

// Sends `POST /verb?query` to the server that has `directory`, and waits for its answer, as long as the server lives.
// Returns what it says was done. Errors: kUnavailable (it does not listen, or went away), and what it says went wrong.
[[nodiscard]] StatusOr<std::string> AskServer(const std::string& directory, std::string_view verb,
                                              std::string_view query = "");

}  // namespace spanloom::cli::store
