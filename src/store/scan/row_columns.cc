// SPDX-License-Identifier: Apache-2.0

#include "store/scan/row_columns.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"

namespace spanloom::store::scan {
namespace {

Cell IntCell(uint64_t value) {
  return Cell::Int(static_cast<int64_t>(std::min<uint64_t>(value, std::numeric_limits<int64_t>::max())));
}

template <typename Number>
void AppendIfKnown(const std::optional<Number>& number, std::vector<Cell>& cells) {
  if (number) cells.push_back(Cell::Int(static_cast<int64_t>(*number)));
}

void AppendIfKnown(const std::optional<std::string>& text, std::vector<Cell>& cells) {
  if (text) cells.push_back(Cell::String(*text));
}

void AppendIfNotEmpty(const std::string& text, std::vector<Cell>& cells) {
  if (!text.empty()) cells.push_back(Cell::String(text));
}

bool IsPhase(RequestColumn column) {
  return column >= RequestColumn::kRouting && column <= RequestColumn::kUnexplained;
}

size_t PhaseOf(RequestColumn column) {
  return static_cast<size_t>(column) - static_cast<size_t>(RequestColumn::kRouting);
}
static_assert(static_cast<size_t>(RequestColumn::kUnexplained) - static_cast<size_t>(RequestColumn::kRouting) + 1 ==
              kRequestPhases);

}  // namespace

void AppendCells(const TraceRow& row, TraceColumn column, std::vector<Cell>& cells) {
  switch (column) {
    case TraceColumn::kId:
      return cells.push_back(Cell::String(row.id.view(), ValueKind::kBytes));
    case TraceColumn::kRootService:
      return AppendIfKnown(row.root_service, cells);
    case TraceColumn::kRootName:
      return AppendIfKnown(row.root_name, cells);
    case TraceColumn::kStart:
      return cells.push_back(IntCell(row.start_unix_ns));
    case TraceColumn::kDuration:
      return cells.push_back(IntCell(row.duration_ns()));
    case TraceColumn::kSpans:
      return cells.push_back(Cell::Int(row.spans));
    case TraceColumn::kErrors:
      return cells.push_back(Cell::Int(row.errors));
    case TraceColumn::kOrphans:
      return cells.push_back(Cell::Int(row.orphans));
    case TraceColumn::kService:
      for (const ServiceSpans& service : row.services) cells.push_back(Cell::String(service.service));
      return;
  }
}

void AppendCells(const RequestRow& row, RequestColumn column, std::vector<Cell>& cells) {
  if (IsPhase(column)) return AppendIfKnown(row.phases_ns[PhaseOf(column)], cells);
  switch (column) {
    case RequestColumn::kTraceId:
      return cells.push_back(Cell::String(row.key.trace_id.view(), ValueKind::kBytes));
    case RequestColumn::kService:
      return AppendIfNotEmpty(row.service, cells);
    case RequestColumn::kModel:
      return AppendIfNotEmpty(row.model, cells);
    case RequestColumn::kPrefillPod:
      return AppendIfNotEmpty(row.prefill_pod, cells);
    case RequestColumn::kDecodePod:
      return AppendIfNotEmpty(row.decode_pod, cells);
    case RequestColumn::kArrival:
      return cells.push_back(IntCell(row.arrival_unix_ns));
    case RequestColumn::kDuration:
      return cells.push_back(IntCell(row.duration_ns()));
    case RequestColumn::kTtft:
      return AppendIfKnown(row.ttft_ns, cells);
    case RequestColumn::kTpot:
      return AppendIfKnown(row.tpot_ns, cells);
    case RequestColumn::kInputTokens:
      return AppendIfKnown(row.input_tokens, cells);
    case RequestColumn::kCachedTokens:
      return AppendIfKnown(row.cached_tokens, cells);
    case RequestColumn::kOutputTokens:
      return AppendIfKnown(row.output_tokens, cells);
    case RequestColumn::kOutcome:
      return cells.push_back(Cell::Int(static_cast<int64_t>(row.outcome)));
    case RequestColumn::kProvisional:
      return cells.push_back(Cell::Bool(row.is_provisional));
    default:
      return;
  }
}

std::string KeyOf(const TraceRow& row) {
  return std::string(row.id.view());
}

std::string KeyOf(const RequestRow& row) {
  return StrCat(row.key.trace_id.view(), row.key.span_id.view());
}

size_t BytesOf(const TraceRow& row) {
  size_t bytes = sizeof(row) + row.root_name.value_or("").size() + row.root_service.value_or("").size();
  for (const ServiceSpans& service : row.services) bytes += sizeof(service) + service.service.size();
  return bytes;
}

size_t BytesOf(const RequestRow& row) {
  return sizeof(row) + row.service.size() + row.model.size() + row.prefill_pod.size() + row.decode_pod.size();
}

std::string_view NameOf(TraceColumn column) {
  constexpr std::string_view kNames[] = {"id",    "root service", "root name", "start",  "duration",
                                         "spans", "errors",       "orphans",   "service"};
  return kNames[static_cast<size_t>(column)];
}

std::string_view NameOf(RequestColumn column) {
  constexpr std::string_view kNames[] = {"trace id",         "service",       "model",
                                         "prefill pod",      "decode pod",    "arrival",
                                         "duration",         "ttft",          "tpot",
                                         "routing",          "prefill queue", "prefill",
                                         "prefill overhead", "kv wait",       "first decode step",
                                         "decode",           "unexplained",   "input tokens",
                                         "cached tokens",    "output tokens", "outcome",
                                         "provisional"};
  return kNames[static_cast<size_t>(column)];
}

}  // namespace spanloom::store::scan
