// SPDX-License-Identifier: Apache-2.0
//
// Any text as a tracestate: refused as invalid, or written so that it reads as the same again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "pipeline/sampling/sampling_trace_state.h"

namespace spanloom::pipeline {
namespace {

void ReadAndWrite(std::string_view text) {
  const auto state = SamplingTraceState::Read(text);
  if (!state.ok()) {
    CHECK(state.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  const std::string written = state->ToString();
  const auto again = SamplingTraceState::Read(written);
  CHECK(again.ok());
  CHECK(again->ToString() == written);
  CHECK(again->randomness() == state->randomness() && again->threshold() == state->threshold());
}

}  // namespace
}  // namespace spanloom::pipeline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  spanloom::pipeline::ReadAndWrite({reinterpret_cast<const char*>(data), size});
  return 0;
}
