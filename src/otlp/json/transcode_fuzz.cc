// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as an OTLP/JSON body: refused as invalid, or translated into a request that passes the check of received
// ones and is not much longer.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "otlp/json/transcode.h"
#include "otlp/testing/digest.h"
#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

void Transcode(std::string_view json) {
  const auto wire = TranscodeTracesJson(json);
  if (!wire.ok()) {
    CHECK(wire.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  CHECK(wire->size() <= kJsonExpansionMax * json.size());
  const auto stats = ValidateTraces(*wire);
  CHECK(stats.ok());
  CHECK(Digest().Add(TracesView(*wire)) == stats->spans);
}

}  // namespace
}  // namespace spanloom::otlp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::otlp::Transcode({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
