// SPDX-License-Identifier: Apache-2.0
//
// Any query string is parsed or refused.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "query/jaeger/parameters.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spanloom::query::jaeger;
  const Parameters parameters(std::string_view(reinterpret_cast<const char*>(data), size));
  const auto search = ParseTraceSearch(parameters, uint64_t{1} << 60);
  if (search.ok()) {
    CHECK(search->plan.traces_max > 0);
    CHECK(!search->plan.starts.IsEmpty());
  }
  static_cast<void>(ParseTraceOptions(parameters));
  static_cast<void>(ParseDependencyRange(parameters, uint64_t{1} << 60));
  return 0;
}
