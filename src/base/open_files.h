// SPDX-License-Identifier: Apache-2.0
//
// How many files, sockets among them, a process may have open. Shells and containers begin with a soft limit of 1,024,
// which is for programs that use select(); a server has no use for it.

#pragma once

#include <cstdint>

namespace spanloom {

// Raises the limit of this process as far as it may by itself (the hard limit), and returns what it is then; 0 if that
// can't be told. For the start of a process: children inherit it.
uint64_t RaiseOpenFilesLimit();

}  // namespace spanloom
