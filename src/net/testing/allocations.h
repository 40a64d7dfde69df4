// SPDX-License-Identifier: Apache-2.0
//
// Counts what a thread allocates, so that tests can bound it. Linking this replaces malloc and its like by ones that
// count and pass on to the C library; not under sanitizers, which have their own.

#pragma once

#include <cstdint>

namespace spanloom::net {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kCountsAllocations = false;
#else
inline constexpr bool kCountsAllocations = true;
#endif

// Blocks that the calling thread has ever taken from the heap, by C or C++; 0 if they are not counted.
uint64_t ThreadAllocations();

}  // namespace spanloom::net
