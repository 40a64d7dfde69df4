// SPDX-License-Identifier: Apache-2.0
//
// Any text as a condition: refused as invalid, or an answer for a span; negated, it gives the opposite answer.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "otlp/batch.h"
#include "otlp/wire/writer.h"
#include "ottl/condition.h"
#include "ottl/parser.h"

namespace spanloom::ottl {
namespace {

// One span called "GET" with the attribute s = "abc".
Bytes Request() {
  std::string out;
  otlp::wire::Writer writer(out);
  const auto resource_spans = writer.Begin(1);
  const auto scope_spans = writer.Begin(2);
  const auto span = writer.Begin(2);
  writer.Bytes(5, "GET");
  const auto attribute = writer.Begin(9);
  writer.Bytes(1, "s");
  const auto value = writer.Begin(2);
  writer.Bytes(1, "abc");
  writer.End(value);
  writer.End(attribute);
  writer.End(span);
  writer.End(scope_spans);
  writer.End(resource_spans);
  return Bytes(std::move(out));
}

bool Matches(const SpanConditions& conditions) {
  static const otlp::Slice slice(Request(), 1);
  bool matches = false;
  slice.ForEach([&](const otlp::SpanContext& span) { matches = conditions.Match(span); });
  return matches;
}

void Compile(std::string_view text) {
  const auto condition = CompileSpanCondition(text);
  if (!condition.ok()) {
    CHECK(condition.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  const auto opposite = CompileSpanCondition("not (" + std::string(text) + ")");
  if (opposite.ok()) {
    CHECK(Matches(*condition) != Matches(*opposite));
    return;
  }
  // Only the limits may be in the way.
  const std::string reason(opposite.status().message());
  CHECK(text.size() + 6 > kConditionBytesMax || reason.find("nest more than") != std::string::npos);
}

}  // namespace
}  // namespace spanloom::ottl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::ottl::Compile({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
