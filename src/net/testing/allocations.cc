// SPDX-License-Identifier: Apache-2.0

#include "net/testing/allocations.h"

#include <cerrno>
#include <cstddef>

namespace spanloom::net {
namespace {

thread_local uint64_t allocations = 0;

}  // namespace

uint64_t ThreadAllocations() {
  return allocations;
}

}  // namespace spanloom::net

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using spanloom::net::allocations;

// glibc's own, which its manual lets a program replace ("Replacing malloc"); free stays what it is.
extern "C" {

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* at, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}

void* realloc(void* at, size_t bytes) {
  ++allocations;
  return __libc_realloc(at, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** result, size_t alignment, size_t bytes) {
  ++allocations;
  *result = __libc_memalign(alignment, bytes);
  return *result == nullptr ? ENOMEM : 0;
}
}

#endif
