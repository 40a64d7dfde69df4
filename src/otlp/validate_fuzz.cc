// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a request: refused, or readable through all views; and copied without loss when some of its spans are
// dropped.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "otlp/batch.h"
#include "otlp/testing/digest.h"
#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

// Drops the spans whose id has an odd first byte and copies the rest.
void CopySome(std::string_view request, size_t span_count) {
  Slice slice(Bytes::CopyOf(request), span_count);
  const size_t dropped =
      slice.DropIf([](const SpanContext& context) { return context.span.span_id().bytes[0] % 2 == 1; });
  CHECK(slice.span_count() + dropped == span_count);
  std::string copy;
  slice.AppendTo(copy);
  const auto stats = ValidateTraces(copy);
  CHECK(stats.ok());
  CHECK(stats->spans == slice.span_count());
}

void Read(std::string_view request) {
  const auto stats = ValidateTraces(request);
  if (!stats.ok()) return;
  CHECK(Digest().Add(TracesView(request)) == stats->spans);
  CopySome(request, stats->spans);
}

}  // namespace
}  // namespace spanloom::otlp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::otlp::Read({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
