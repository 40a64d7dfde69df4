// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a segment, asked by columns: every page is matched or refused. Checksums hold in this build whatever
// they are, as for segment_reader_fuzz, whose segments the corpus has too.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/columnar/match/field_columns.h"
#include "store/columnar/match/segment_matcher.h"
#include "store/columnar/segment/testing/memory_file.h"

namespace spanloom::store::columnar {
namespace {

// Every kind of source: slots of numbers and texts, origins, events, links, tags.
std::vector<Condition> MakeConditions() {
  const auto attribute = [](AttributeScope scope, std::string key) { return Field::Attribute(scope, std::move(key)); };
  return {
      {.field = Field::Of(Intrinsic::kService), .operand = Value::String("a")},
      {.field = Field::Of(Intrinsic::kName), .comparison = Comparison::kNotEqual, .operand = Value::String("root")},
      {.field = Field::Of(Intrinsic::kDuration), .comparison = Comparison::kGreater, .operand = Value::Int(5)},
      {.field = Field::Of(Intrinsic::kEventName), .operand = Value::String("token")},
      {.field = attribute(AttributeScope::kSpan, "request.id"),
       .operand = Value::String("chatcmpl-0123456789abcdef11")},
      {.field = attribute(AttributeScope::kSpan, "ttft"), .comparison = Comparison::kLess, .operand = Value::Double(1)},
      {.field = attribute(AttributeScope::kLink, "x"), .comparison = Comparison::kIsAbsent},
      {.field = attribute(AttributeScope::kAnywhere, "id"),
       .comparison = Comparison::kHasText,
       .operand = Value::String("1")}};
}

void Ask(const SegmentReader& reader, const Condition& condition) {
  SegmentMatcher matcher(Predicate(condition), reader);
  FieldColumns field(condition.field, reader);
  TraceTableReader table(reader);
  static_cast<void>(matcher.MayMatch().ok());
  for (size_t number = 0; number < reader.index().pages().size(); ++number) {
    PageColumns page(reader, table, number);
    static_cast<void>(matcher.Match(page).ok());
    for (uint32_t group = 0; group < page.groups(RowTable::kSpans).size(); ++group) {
      const StatusOr<bool> is_known = field.Begin(page, group);
      if (!is_known.ok() || !*is_known) continue;
      for (uint32_t row = 0; row < page.groups(RowTable::kSpans)[group].rows; ++row) {
        static_cast<void>(field.First(row));
      }
    }
  }
}

void AskAll(std::string content) {
  const auto reader =
      SegmentReader::Open(std::make_unique<MemoryFile>(std::make_shared<std::string>(std::move(content))));
  if (!reader.ok()) return;
  static const std::vector<Condition> kConditions = MakeConditions();
  for (const Condition& condition : kConditions) Ask(**reader, condition);
}

}  // namespace
}  // namespace spanloom::store::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::store::columnar::AskAll(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
