// SPDX-License-Identifier: Apache-2.0
//
// Any text as a condition: refused as invalid, or an answer for a span; negated, it gives the opposite answer. And as a
// statement: whatever it does, the span is valid afterwards.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "otlp/batch.h"
#include "otlp/validate.h"
#include "otlp/wire/writer.h"
#include "ottl/condition.h"
#include "ottl/parser.h"
#include "ottl/statement.h"

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

enum class Outcome : uint8_t { kTrue, kFalse, kFailed };

Outcome Evaluated(const Conditions& conditions) {
  static const otlp::Slice slice(Request(), 1);
  Outcome outcome = Outcome::kFalse;
  slice.ForEach([&](const otlp::SpanContext& span) {
    bool has_failed = false;
    const bool matches =
        conditions.Match(Scene(span), [&](std::string_view, const Status&) { return !(has_failed = true); });
    outcome = has_failed ? Outcome::kFailed : matches ? Outcome::kTrue : Outcome::kFalse;
  });
  return outcome;
}

StatusOr<Conditions> Compiled(std::string_view text) {
  return Conditions::Compile(Context::kSpan, std::vector<std::string>{std::string(text)});
}

void Compile(std::string_view text) {
  const auto condition = Compiled(text);
  if (!condition.ok()) {
    CHECK(condition.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  const auto opposite = Compiled("not (" + std::string(text) + ")");
  if (!opposite.ok()) {
    // Only the limits may be in the way.
    const std::string reason(opposite.status().message());
    CHECK(text.size() + 6 > kTextBytesMax || reason.find("nest more than") != std::string::npos);
    return;
  }
  // What is random or tells the time need not answer twice alike.
  if (text.find("Now") != std::string_view::npos || text.find("UUID") != std::string_view::npos) return;
  const Outcome outcome = Evaluated(*condition);
  const Outcome negated = Evaluated(*opposite);
  CHECK((outcome == Outcome::kFailed) == (negated == Outcome::kFailed));
  CHECK(outcome == Outcome::kFailed || outcome != negated);
}

// A statement is refused, or carried out on a span that is valid afterwards.
void Run(std::string_view text) {
  const auto statements = StatementList::Compile(Context::kSpan, std::vector<std::string>{std::string(text)});
  if (!statements.ok()) {
    CHECK(statements.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  otlp::Slice slice(Request(), 1);
  slice.EditSpans([&](otlp::SpanEditContext& context) {
    statements->Execute(Scene(context), [](std::string_view, const Status&) { return true; });
  });
  std::string wire;
  slice.AppendTo(wire);
  CHECK(otlp::ValidateTraces(wire).ok());
}

}  // namespace
}  // namespace spanloom::ottl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  spanloom::ottl::Compile(text);
  spanloom::ottl::Run(text);
  return 0;
}
