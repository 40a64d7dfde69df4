// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/sums/name_sums.h"

#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <string_view>

namespace spanloom::store::columnar {
namespace {

// [codes]: how many of the rows have each.
std::vector<uint64_t> CountCodes(const FieldColumns::Codes& codes, const SelectedRows& rows) {
  std::vector<uint64_t> counts(codes.end);
  if (codes.of_rows.empty()) {
    counts[codes.code] = rows.count();
  } else {
    rows.ForEach([&](size_t row) { ++counts[codes.of_rows[row]]; });
  }
  return counts;
}

}  // namespace

Status ServiceSum::AddOrigin(const SpanOrigin& origin, uint64_t spans) {
  return counts_.AddSpans(otlp::ResourceView(origin.resource.view()).service_name(), spans);
}

void ServiceSum::BeginSegment(const SegmentReader& reader) {
  service_.emplace(Field::Of(Intrinsic::kService), reader);
}

StatusOr<bool> ServiceSum::AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  ASSIGN_OR_RETURN(const bool is_known, service_->Begin(page, group));
  const auto codes = service_->OnlyCodes();
  if (!is_known || !codes) return false;
  const std::vector<uint64_t> counts = CountCodes(*codes, rows);
  for (size_t code = 0; code < counts.size(); ++code) {
    if (counts[code] == 0) continue;
    RETURN_IF_ERROR(counts_.AddSpans(service_->CodeValues(code).front().text(), counts[code]));
  }
  return true;
}

void OperationSum::BeginSegment(const SegmentReader& reader) {
  services_.emplace(Field::Of(Intrinsic::kService), reader);
  names_.emplace(Field::Of(Intrinsic::kName), reader);
  kinds_.emplace(Field::Of(Intrinsic::kKind), reader);
}

StatusOr<bool> OperationSum::AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  ASSIGN_OR_RETURN(const bool knows_services, services_->Begin(page, group));
  const auto services = services_->OnlyCodes();
  if (!knows_services || !services) return false;
  const auto is_of_service = [&](uint64_t code) { return services_->CodeValues(code).front().text() == service_; };
  if (services->of_rows.empty() && !is_of_service(services->code)) return true;
  ASSIGN_OR_RETURN(const bool knows_names, names_->Begin(page, group));
  ASSIGN_OR_RETURN(const bool knows_kinds, kinds_->Begin(page, group));
  if (!knows_names || !knows_kinds) return false;
  absl::flat_hash_map<std::pair<std::string_view, int64_t>, uint64_t> counts;
  rows.ForEach([&](size_t row) {
    if (!services->of_rows.empty() && !is_of_service(services->of_rows[row])) return;
    ++counts[{names_->First(row).text(), kinds_->First(row).int_value()}];
  });
  for (const auto& [operation, spans] : counts) {
    RETURN_IF_ERROR(counts_.AddSpans(operation.first, static_cast<otlp::SpanKind>(operation.second), spans));
  }
  return true;
}

void ValueSum::BeginSegment(const SegmentReader& reader) {
  values_.emplace(field_, reader);
}

StatusOr<bool> ValueSum::AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  ASSIGN_OR_RETURN(const bool is_known, values_->Begin(page, group));
  if (!is_known) return false;
  const auto codes = values_->OnlyCodes();
  RETURN_IF_ERROR(codes ? AddCodes(*codes, rows) : AddRows(rows));
  return true;
}

Status ValueSum::AddCodes(const FieldColumns::Codes& codes, const SelectedRows& rows) {
  const std::vector<uint64_t> counts = CountCodes(codes, rows);
  for (size_t code = 0; code < counts.size(); ++code) {
    if (counts[code] == 0) continue;
    std::vector<Value> values;
    for (const Cell& cell : values_->CodeValues(code)) values.emplace_back(cell);
    scan::SortAndDropRepeated(values);
    for (const Value& value : values) RETURN_IF_ERROR(counts_.AddSpans(value, counts[code]));
  }
  return absl::OkStatus();
}

Status ValueSum::AddRows(const SelectedRows& rows) {
  absl::flat_hash_map<Value, uint64_t> counts;
  std::vector<Value> values;
  rows.ForEach([&](size_t row) {
    values.clear();
    values_->ForEach(row, [&](const Cell& cell) {
      values.emplace_back(cell);
      return true;
    });
    scan::SortAndDropRepeated(values);
    for (const Value& value : values) ++counts[value];
  });
  for (const auto& [value, spans] : counts) RETURN_IF_ERROR(counts_.AddSpans(value, spans));
  return absl::OkStatus();
}

void KeySum::BeginSegment(const SegmentReader& reader) {
  reader_ = &reader;
  children_ = {};
  origins_.clear();
  for (const auto& origin : reader.index().origins()) {
    std::vector<ScopedKey>& keys = origins_.emplace_back();
    const StoredSpan span = {.wire = {}, .origin = origin};
    for (const otlp::AttributeView attribute : span.resource().attributes()) {
      keys.emplace_back(AttributeScope::kResource, attribute.key());
    }
    for (const otlp::AttributeView attribute : span.scope().attributes()) {
      keys.emplace_back(AttributeScope::kInstrumentation, attribute.key());
    }
    scan::SortAndDropRepeated(keys);
  }
}

bool KeySum::HasRawChildren(const PageColumns& page) {
  const auto is_raw = [&](const GroupRef& group) { return page.reader().index().shapes()[group.shape].is_raw(); };
  return std::ranges::any_of(page.groups(RowTable::kEvents), is_raw) ||
         std::ranges::any_of(page.groups(RowTable::kLinks), is_raw);
}

StatusOr<bool> KeySum::AddGroup(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  const Shape& shape = reader_->index().shapes()[page.groups(RowTable::kSpans)[group].shape];
  const auto has = [&](Op op) { return std::ranges::find(shape.slot_ops, op) != shape.slot_ops.end(); };
  const bool has_children = has(Op::kEvents) || has(Op::kLinks);
  if (shape.is_raw() || (has_children && HasRawChildren(page))) return false;
  absl::flat_hash_set<std::string_view> keys;
  for (const Token& token : shape.tokens) {
    if (token.op == Op::kAttribute) keys.insert(reader_->index().columns()[token.column].key);
  }
  for (const std::string_view key : keys) {
    RETURN_IF_ERROR(counts_.AddSpans(AttributeScope::kSpan, key, rows.count()));
  }
  RETURN_IF_ERROR(AddOrigins(page, group, rows));
  if (has(Op::kEvents)) RETURN_IF_ERROR(AddChildren(page, group, RowTable::kEvents, rows));
  if (has(Op::kLinks)) RETURN_IF_ERROR(AddChildren(page, group, RowTable::kLinks, rows));
  return true;
}

Status KeySum::AddOrigins(PageColumns& page, uint32_t group, const SelectedRows& rows) {
  ASSIGN_OR_RETURN(const auto numbers, page.Numbers(RowTable::kSpans, group, 0));
  std::vector<uint64_t> counts(origins_.size());
  bool is_beyond = false;
  rows.ForEach([&](size_t row) {
    is_beyond = is_beyond || numbers[row] >= counts.size();
    if (!is_beyond) ++counts[numbers[row]];
  });
  if (is_beyond) return absl::DataLossError("an origin that the segment does not have");
  for (size_t origin = 0; origin < counts.size(); ++origin) {
    if (counts[origin] == 0) continue;
    for (const auto& [scope, key] : origins_[origin]) RETURN_IF_ERROR(counts_.AddSpans(scope, key, counts[origin]));
  }
  return absl::OkStatus();
}

Status KeySum::AddChildren(PageColumns& page, uint32_t group, RowTable table, const SelectedRows& rows) {
  ASSIGN_OR_RETURN(const ChildKeys* const keys, KeysOfChildren(page, table));
  ASSIGN_OR_RETURN(const auto page_rows, page.RowsOf(RowTable::kSpans, group));
  const AttributeScope scope = table == RowTable::kEvents ? AttributeScope::kEvent : AttributeScope::kLink;
  for (const auto& [key, spans] : *keys) {
    uint64_t count = 0;
    rows.ForEach([&](size_t row) { count += HasRow(spans, page_rows[row]) ? 1 : 0; });
    if (count > 0) RETURN_IF_ERROR(counts_.AddSpans(scope, key, count));
  }
  return absl::OkStatus();
}

StatusOr<const KeySum::ChildKeys*> KeySum::KeysOfChildren(PageColumns& page, RowTable table) {
  auto& known = children_[static_cast<size_t>(table)];
  if (known && known->first == page.number()) return &known->second;
  ChildKeys keys;
  for (uint32_t group = 0; group < page.groups(table).size(); ++group) {
    ASSIGN_OR_RETURN(const auto rows, page.RowsOf(table, group));
    ASSIGN_OR_RETURN(const auto spans, page.SpansOf(table));
    for (const Token& token : reader_->index().shapes()[page.groups(table)[group].shape].tokens) {
      if (token.op != Op::kAttribute) continue;
      RowBits& bits =
          keys.try_emplace(reader_->index().columns()[token.column].key, MakeRowBits(page.rows())).first->second;
      for (const uint32_t row : rows) SetRow(bits, spans[row]);
    }
  }
  known.emplace(page.number(), std::move(keys));
  return &known->second;
}

}  // namespace spanloom::store::columnar
