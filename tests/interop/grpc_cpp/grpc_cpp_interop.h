// SPDX-License-Identifier: Apache-2.0
//
// The two ends of the peer.

#pragma once

#include <string>

namespace spanloom::interop {

// Serves on a free port of loopback, which it prints, until the process ends.
void Serve();

// Runs one case; "" if all was as it should be, else what was not.
std::string RunCase(const std::string& endpoint, const std::string& name);

}  // namespace spanloom::interop
