// SPDX-License-Identifier: Apache-2.0
//
// Endpoints as text: whatever is taken can be shown, and is the same endpoint when it is read again.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "net/detail/endpoint.h"

using spanloom::net::ParseTarget;
using spanloom::net::Target;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto target = ParseTarget({reinterpret_cast<const char*>(data), size});
  if (!target.ok() || !target->is_unix()) return 0;
  const auto again = ParseTarget(spanloom::net::ToString(spanloom::net::UnixEndpoint(*target)));
  CHECK(again.ok() && again->unix_path == target->unix_path);
  return 0;
}
