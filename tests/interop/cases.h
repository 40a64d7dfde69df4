// SPDX-License-Identifier: Apache-2.0
//
// The client's part of the cases of doc/interop-test-descriptions.md (grpc/grpc), and a few of our own.

#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/status.h"
#include "tests/interop/caller.h"

namespace spanloom::interop {

// OK, or what was not as it should be.
using Case = std::function<Status(Caller&)>;
std::map<std::string, Case> Cases();

// Those whose messages are streams.
std::map<std::string, Case> StreamingCases();

// OK if `holds`.
Status Expect(bool holds, std::string_view words);

}  // namespace spanloom::interop
