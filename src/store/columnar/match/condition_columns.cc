// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/match/condition_columns.h"

#include <absl/strings/numbers.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/text.h"
#include "store/columnar/match/number_range.h"
#include "store/columnar/match/origin_reading.h"
#include "store/scan/span_fields.h"
#include "store/scan/text_arena.h"
#include "store/value_text.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kIntMax = std::numeric_limits<int64_t>::max();

// Numbers of a slot from `base` to `most` as values, if they are ordered as the numbers are.
bool AreOrdered(Reading reading, uint64_t base, uint64_t most) {
  if (reading == Reading::kInt) return (base > kIntMax) == (most > kIntMax);
  // IEEE 754: without a sign the bits are ordered as the values are; beyond infinity come NaNs.
  const auto infinity = std::bit_cast<uint64_t>(std::numeric_limits<double>::infinity());
  return reading == Reading::kDouble && most <= infinity;
}

ValueKind KindOf(Reading reading) {
  switch (reading) {
    case Reading::kInt:
    case Reading::kEnum:
      return ValueKind::kInt;
    case Reading::kBool:
    case Reading::kErrorTag:
      return ValueKind::kBool;
    case Reading::kDouble:
      return ValueKind::kDouble;
    case Reading::kBytes:
    case Reading::kSpanId:
      return ValueKind::kBytes;
    default:
      return ValueKind::kString;
  }
}

// The number that is written so, as a value of the kind; nullopt if there is none.
std::optional<Cell> NumberOfText(ValueKind kind, std::string_view text) {
  int64_t whole = 0;
  double number = 0;
  if (kind == ValueKind::kInt)
    return absl::SimpleAtoi(AbslView(text), &whole) ? std::optional(Cell::Int(whole)) : std::nullopt;
  return absl::SimpleAtod(AbslView(text), &number) ? std::optional(Cell::Double(number)) : std::nullopt;
}

}  // namespace

ConditionColumns::ConditionColumns(const Condition& condition, const SegmentReader& reader)
    : reader_(reader), check_(condition.comparison, condition.operand), sources_(condition.field, reader.index()) {}

bool ConditionColumns::CanBeHit(ValueKind kind) const {
  switch (check_.comparison()) {
    case Comparison::kHasText:
    case Comparison::kExists:
    case Comparison::kIsAbsent:
      return true;
    default:
      return check_.IsComparable(kind);
  }
}

StatusOr<bool> ConditionColumns::MayHold() {
  if (check_.is_negative() || check_.comparison() == Comparison::kIsAbsent) return true;
  for (const uint32_t shape : reader_.index().shapes_in_use()) {
    ASSIGN_OR_RETURN(const bool may_hit, MayHit(shape));
    if (may_hit) return true;
  }
  return false;
}

StatusOr<bool> ConditionColumns::MayHit(uint32_t shape) {
  for (const ValueSource& source : sources_.Of(shape)) {
    ASSIGN_OR_RETURN(const bool may_hit, MayHit(shape, source));
    if (may_hit) return true;
  }
  return false;
}

StatusOr<bool> ConditionColumns::MayHit(uint32_t shape, const ValueSource& source) {
  const auto is_hit = [](const CellFacts& facts) { return facts.is_hit; };
  switch (source.kind) {
    case ValueSource::Kind::kUnknown:
      return true;
    case ValueSource::Kind::kEmpty:
      return check_.comparison() == Comparison::kHasText && check_.text().empty();
    case ValueSource::Kind::kConstant:
      return FactsOf(source.constant).is_hit;
    case ValueSource::Kind::kOrigin:
      return std::ranges::any_of(OriginFacts(), is_hit);
    case ValueSource::Kind::kEvents:
    case ValueSource::Kind::kLinks:
      return false;  // their shapes are asked themselves
    case ValueSource::Kind::kSlot:
      break;
  }
  const Shape& of = reader_.index().shapes()[shape];
  if (!CanBeHit(KindOf(source.reading))) return false;
  if (of.slots[source.slot] == SlotKind::kNumber) return true;
  if (std::ranges::any_of(DictionaryFacts(of.slot_columns[source.slot], source.reading), is_hit)) return true;
  ASSIGN_OR_RETURN(const auto pages, PagesWithOperand());
  return !pages || !pages->empty();
}

StatusOr<RowSet> ConditionColumns::Evaluate(PageColumns& page, uint32_t group) {
  ASSIGN_OR_RETURN(const ValueFacts facts, FactsOf(page, RowTable::kSpans, group));
  return facts.Holds(check_);
}

StatusOr<ValueFacts> ConditionColumns::FactsOf(PageColumns& page, RowTable table, uint32_t group) {
  const GroupRef& ref = page.groups(table)[group];
  ValueFacts facts = ValueFacts::None(ref.rows);
  for (const ValueSource& source : sources_.Of(ref.shape)) {
    ASSIGN_OR_RETURN(const ValueFacts more, FactsOf(page, {.table = table, .group = group, .source = source}));
    facts.Add(more);
  }
  return facts;
}

StatusOr<ValueFacts> ConditionColumns::FactsOf(PageColumns& page, const SlotPlaceInPage& place) {
  const GroupRef& group = page.groups(place.table)[place.group];
  const ValueSource& source = place.source;
  switch (source.kind) {
    case ValueSource::Kind::kUnknown:
      return ValueFacts::Unknown(group.rows);
    case ValueSource::Kind::kEmpty: {
      ValueFacts facts = ValueFacts::None(group.rows);
      const bool is_hit = check_.comparison() == Comparison::kHasText && check_.text().empty();
      facts.is_hit = RowSet::Of(is_hit, group.rows);
      return facts;
    }
    case ValueSource::Kind::kConstant:
      return ValueFacts::Of(source.constant, check_, group.rows);
    case ValueSource::Kind::kOrigin:
      return FactsOfOrigins(page, place.group);
    case ValueSource::Kind::kEvents:
      return FactsOfChildren(page, RowTable::kEvents, place.group);
    case ValueSource::Kind::kLinks:
      return FactsOfChildren(page, RowTable::kLinks, place.group);
    case ValueSource::Kind::kSlot:
      break;
  }
  switch (group.slots[source.slot].place) {
    case SlotPlace::kNumbers:
      return FactsOfNumbers(page, place);
    case SlotPlace::kDictionary: {
      const uint32_t column = reader_.index().shapes()[group.shape].slot_columns[source.slot];
      return FactsOfCodes(page, place, DictionaryFacts(column, source.reading));
    }
    case SlotPlace::kPool:
      break;
  }
  return FactsOfPool(page, place);
}

StatusOr<ValueFacts> ConditionColumns::FactsOfNumbers(PageColumns& page, const SlotPlaceInPage& place) {
  const GroupRef& group = page.groups(place.table)[place.group];
  const PackedSlice& slice = group.slots[place.source.slot].slice;
  const Reading reading = place.source.reading;
  char text[8];
  char most_text[8];
  const Cell least = CellOfNumber(reading, slice.base, text);
  if (slice.is_constant()) return ValueFacts::Of(least, check_, group.rows);
  if (AreOrdered(reading, slice.base, slice.max())) {
    if (const auto is_hit = HitBetween(least, CellOfNumber(reading, slice.max(), most_text))) {
      ValueFacts facts = ValueFacts::Of(least, check_, group.rows);
      facts.is_hit = RowSet::Of(*is_hit, group.rows);
      return facts;
    }
  }
  ASSIGN_OR_RETURN(const auto numbers, page.Numbers(place.table, place.group, place.source.slot));
  if (const auto range = NumberRange::Of(check_, reading)) {
    ValueFacts facts = ValueFacts::Of(least, check_, group.rows);
    facts.is_hit = RowSet::Exactly(range->Hits(numbers), group.rows);
    return facts;
  }
  ValueFactsBuilder builder(group.rows);
  for (size_t row = 0; row < numbers.size(); ++row) {
    builder.Add(row, CellOfNumber(reading, numbers[row], text), check_);
  }
  return std::move(builder).Take();
}

std::optional<bool> ConditionColumns::HitBetween(const Cell& least, const Cell& most) const {
  const Comparison comparison = check_.comparison();
  if (comparison == Comparison::kExists || comparison == Comparison::kIsAbsent) return true;
  const bool has_text = comparison == Comparison::kHasText;
  if (!has_text && !check_.IsComparable(least.kind())) return false;
  const std::optional<Cell> operand = has_text ? NumberOfText(least.kind(), check_.text()) : check_.operand().cell();
  if (!operand) return false;
  const std::partial_ordering of_least = Compare(least, *operand);
  const std::partial_ordering of_most = Compare(most, *operand);
  switch (comparison) {
    case Comparison::kEqual:
    case Comparison::kNotEqual:
    case Comparison::kHasText:
      if (of_least > 0 || of_most < 0) return false;
      break;
    case Comparison::kLess:
      if (of_least >= 0) return false;
      if (of_most < 0) return true;
      break;
    case Comparison::kLessOrEqual:
      if (of_least > 0) return false;
      if (of_most <= 0) return true;
      break;
    case Comparison::kGreater:
      if (of_most <= 0) return false;
      if (of_least > 0) return true;
      break;
    case Comparison::kGreaterOrEqual:
      if (of_most < 0) return false;
      if (of_least >= 0) return true;
      break;
    default:
      break;
  }
  return std::nullopt;
}

StatusOr<ValueFacts> ConditionColumns::FactsOfOrigins(PageColumns& page, uint32_t group) {
  // The origin is the first slot of every shape of spans.
  return FactsOfCodes(page, {.table = RowTable::kSpans, .group = group, .source = {.slot = 0}}, OriginFacts());
}

// Rows whose number says which of some known values they have.
StatusOr<ValueFacts> ConditionColumns::FactsOfCodes(PageColumns& page, const SlotPlaceInPage& place,
                                                    const std::vector<CellFacts>& by_code) {
  const GroupRef& group = page.groups(place.table)[place.group];
  const PackedSlice& slice = group.slots[place.source.slot].slice;
  if (slice.base >= by_code.size()) return absl::DataLossError("a code that is beyond its dictionary");
  const auto known =
      std::span(by_code).subspan(slice.base, std::min<uint64_t>(slice.max(), by_code.size() - 1) - slice.base + 1);
  const CellFacts& first = known.front();
  std::span<const uint64_t> codes;  // none if all facts are alike
  if (!std::ranges::all_of(known, [&](const CellFacts& other) { return other == first; })) {
    ASSIGN_OR_RETURN(codes, page.Numbers(place.table, place.group, place.source.slot));
    if (std::ranges::any_of(codes, [&](uint64_t code) { return code >= by_code.size(); })) {
      return absl::DataLossError("a code that is beyond its dictionary");
    }
  }
  const auto set_of = [&](bool CellFacts::*fact) {
    const bool are_alike =
        std::ranges::all_of(known, [&](const CellFacts& other) { return other.*fact == first.*fact; });
    if (are_alike) return RowSet::Of(first.*fact, group.rows);
    RowBits bits = MakeRowBits(group.rows);
    for (size_t row = 0; row < codes.size(); ++row) {
      if (by_code[codes[row]].*fact) SetRow(bits, row);
    }
    return RowSet::Exactly(bits, group.rows);
  };
  return ValueFacts{set_of(&CellFacts::has_value), set_of(&CellFacts::is_comparable), set_of(&CellFacts::is_hit)};
}

StatusOr<ValueFacts> ConditionColumns::FactsOfPool(PageColumns& page, const SlotPlaceInPage& place) {
  const GroupRef& group = page.groups(place.table)[place.group];
  const Reading reading = place.source.reading;
  const bool is_always_value = reading != Reading::kStringIfAny;
  ASSIGN_OR_RETURN(const auto pages, PagesWithOperand());
  const bool is_ruled_out = pages && !std::ranges::binary_search(*pages, static_cast<uint32_t>(page.number()));
  if (is_always_value && (is_ruled_out || !CanBeHit(KindOf(reading)) || check_.comparison() == Comparison::kExists)) {
    const ValueKind kind = KindOf(reading);
    return ValueFacts{RowSet::All(group.rows), RowSet::Of(check_.IsComparable(kind), group.rows),
                      RowSet::Of(check_.comparison() == Comparison::kExists, group.rows)};
  }
  ASSIGN_OR_RETURN(const auto numbers, page.Numbers(place.table, place.group, place.source.slot));
  const std::vector<uint64_t> kept(numbers.begin(), numbers.end());  // reading others takes their place
  ASSIGN_OR_RETURN(const auto rows, page.RowsOf(place.table, place.group));
  std::span<const uint32_t> spans;
  if (place.table != RowTable::kSpans) {
    ASSIGN_OR_RETURN(spans, page.SpansOf(place.table));
  }
  ValueFactsBuilder builder(group.rows);
  for (size_t row = 0; row < kept.size(); ++row) {
    const uint32_t span = spans.empty() ? rows[row] : spans[rows[row]];
    ASSIGN_OR_RETURN(const CellFacts facts, PoolFacts(page, reading, span, kept[row]));
    builder.Add(row, facts.has_value, facts.is_comparable, facts.is_hit);
  }
  return std::move(builder).Take();
}

StatusOr<ConditionColumns::CellFacts> ConditionColumns::PoolFacts(PageColumns& page, Reading reading, uint32_t row,
                                                                  uint64_t number) {
  if (pool_.entries.empty() || pool_.page != page.number() || pool_.reading != reading) {
    ASSIGN_OR_RETURN(const uint64_t entries, page.PoolEntries());
    pool_ = {.page = page.number(), .reading = reading, .entries = {}};
    pool_.entries.resize(entries);
  }
  ASSIGN_OR_RETURN(const uint64_t entry, page.PoolEntry(row, number));
  std::optional<CellFacts>& facts = pool_.entries[entry];
  if (!facts) {
    ASSIGN_OR_RETURN(const std::string_view text, page.PoolText(row, number));
    facts = FactsOf(CellOfText(reading, text));
  }
  return *facts;
}

StatusOr<ValueFacts> ConditionColumns::FactsOfChildren(PageColumns& page, RowTable children, uint32_t group) {
  const GroupRef& ref = page.groups(RowTable::kSpans)[group];
  ASSIGN_OR_RETURN(const ValueFacts facts, FactsOfTable(page, children));
  if (facts.has_value.is_none() && facts.is_hit.is_none()) return ValueFacts::None(ref.rows);
  ASSIGN_OR_RETURN(const auto ranges, page.ChildrenOf(children));
  ASSIGN_OR_RETURN(const auto rows, page.RowsOf(RowTable::kSpans, group));
  ValueFactsBuilder builder(ref.rows);
  for (size_t row = 0; row < rows.size(); ++row) {
    for (uint32_t child = ranges[rows[row]].begin; child < ranges[rows[row]].end; ++child) {
      builder.AddFrom(row, facts, child);
    }
  }
  return std::move(builder).Take();
}

// Of all events or links of the page, in its order.
StatusOr<ValueFacts> ConditionColumns::FactsOfTable(PageColumns& page, RowTable children) {
  const auto known = children_.find(children);
  if (known != children_.end() && known->second.first == page.number()) return known->second.second;
  ValueFactsBuilder builder(page.ref().table(children).rows);
  for (uint32_t group = 0; group < page.groups(children).size(); ++group) {
    ASSIGN_OR_RETURN(const ValueFacts facts, FactsOf(page, children, group));
    if (facts.has_value.is_none() && facts.is_hit.is_none()) continue;
    ASSIGN_OR_RETURN(const auto rows, page.RowsOf(children, group));
    for (size_t row = 0; row < rows.size(); ++row) builder.AddFrom(rows[row], facts, row);
  }
  ValueFacts facts = std::move(builder).Take();
  children_.insert_or_assign(children, std::pair(page.number(), facts));
  return facts;
}

ConditionColumns::CellFacts ConditionColumns::FactsOf(const Cell& cell) const {
  if (cell.is_none()) return {};
  return {.has_value = true, .is_comparable = check_.IsComparable(cell.kind()), .is_hit = check_.IsHit(cell)};
}

// As scan::PredicateMatcher looks at a span that has nothing but its origin.
ConditionColumns::CellFacts ConditionColumns::FactsOfOrigin(const std::shared_ptr<const SpanOrigin>& origin) const {
  OriginReading bare(origin);
  scan::TextArena texts;
  CellFacts all;
  const auto add = [&](const Cell& cell) {
    const CellFacts facts = FactsOf(cell);
    all.has_value = all.has_value || facts.has_value;
    all.is_comparable = all.is_comparable || facts.is_comparable;
    all.is_hit = all.is_hit || facts.is_hit;
    return true;
  };
  const bool has_text = check_.comparison() == Comparison::kHasText;
  for (const Field& field : OriginFieldsOf(sources_.field())) {
    if (!has_text || !field.is_attribute()) {
      scan::ForEachValue(field, bare.reading(), 0, texts, add);
      continue;
    }
    const auto visit = [&](const otlp::ValueView& value) {
      all.is_hit = all.is_hit || ValueHasText(value, check_.text());
      return true;
    };
    scan::ForEachAttribute(field, bare.reading(), 0, visit, add);
  }
  return all;
}

const std::vector<ConditionColumns::CellFacts>& ConditionColumns::OriginFacts() {
  if (origins_.empty()) {
    for (const auto& origin : reader_.index().origins()) origins_.push_back(FactsOfOrigin(origin));
  }
  return origins_;
}

const std::vector<ConditionColumns::CellFacts>& ConditionColumns::DictionaryFacts(uint32_t column, Reading reading) {
  const auto [found, is_new] = dictionaries_.try_emplace(column);
  if (is_new) {
    for (const std::string_view text : reader_.index().Dictionary(column)) {
      found->second.push_back(FactsOf(CellOfText(reading, text)));
    }
  }
  return found->second;
}

StatusOr<std::optional<std::vector<uint32_t>>> ConditionColumns::PagesWithOperand() {
  const Comparison comparison = check_.comparison();
  const bool is_equality =
      comparison == Comparison::kEqual || comparison == Comparison::kNotEqual || comparison == Comparison::kHasText;
  if (!is_equality || (check_.operand().kind() != ValueKind::kString && check_.operand().kind() != ValueKind::kBytes)) {
    return std::optional<std::vector<uint32_t>>();
  }
  if (!pages_) {
    ASSIGN_OR_RETURN(pages_, reader_.PagesWithText(check_.text()));
  }
  return pages_;
}

}  // namespace spanloom::store::columnar
