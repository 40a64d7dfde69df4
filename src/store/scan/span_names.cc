// SPDX-License-Identifier: Apache-2.0

#include "store/scan/span_names.h"

#include <algorithm>

#include "base/text.h"
#include "store/scan/span_fields.h"

namespace spanloom::store::scan {
Status ServiceCounts::Add(TraceReading& trace, ReadMeter& meter) {
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    if (!query_.starts.Contains(trace.start_unix_ns(ordinal))) continue;
    RETURN_IF_ERROR(AddSpans(trace.stored(ordinal).resource().service_name(), 1));
  }
  return absl::OkStatus();
}

Status ServiceCounts::AddSpans(std::string_view service, uint64_t spans) {
  if (!service.starts_with(query_.prefix)) return absl::OkStatus();
  return counts_.Add(std::string(service), service.size(), spans);
}

std::vector<ServiceName> ServiceCounts::Take() && {
  return std::move(counts_).Take<ServiceName>(query_.names_max, [](const std::string& name, uint64_t spans) {
    return ServiceName{.name = name, .spans = spans};
  });
}

Status OperationCounts::Add(TraceReading& trace, ReadMeter& meter) {
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    if (!query_.starts.Contains(trace.start_unix_ns(ordinal))) continue;
    if (trace.stored(ordinal).resource().service_name() != service_) continue;
    const otlp::SpanView& span = trace.view(ordinal);
    RETURN_IF_ERROR(AddSpans(span.name(), span.kind(), 1));
  }
  return absl::OkStatus();
}

Status OperationCounts::AddSpans(std::string_view name, otlp::SpanKind kind, uint64_t spans) {
  if (!name.starts_with(query_.prefix)) return absl::OkStatus();
  return counts_.Add({std::string(name), static_cast<int32_t>(kind)}, name.size(), spans);
}

std::vector<OperationName> OperationCounts::Take() && {
  return std::move(counts_).Take<OperationName>(query_.names_max, [](const auto& operation, uint64_t spans) {
    return OperationName{.operation = {.name = operation.first, .kind = static_cast<otlp::SpanKind>(operation.second)},
                         .spans = spans};
  });
}

Status KeyCounts::Add(TraceReading& trace, ReadMeter& meter) {
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    if (query_.starts.Contains(trace.start_unix_ns(ordinal))) RETURN_IF_ERROR(AddSpan(trace, ordinal));
  }
  return absl::OkStatus();
}

Status KeyCounts::AddSpan(TraceReading& trace, size_t ordinal) {
  keys_.clear();
  const otlp::SpanView& span = trace.view(ordinal);
  Collect(AttributeScope::kSpan, span.attributes());
  Collect(AttributeScope::kResource, trace.stored(ordinal).resource().attributes());
  Collect(AttributeScope::kInstrumentation, trace.stored(ordinal).scope().attributes());
  for (const otlp::EventView event : span.events()) Collect(AttributeScope::kEvent, event.attributes());
  for (const otlp::LinkView link : span.links()) Collect(AttributeScope::kLink, link.attributes());
  SortAndDropRepeated(keys_);
  for (const auto& [scope, key] : keys_) RETURN_IF_ERROR(AddSpans(scope, key, 1));
  return absl::OkStatus();
}

Status KeyCounts::AddSpans(AttributeScope scope, std::string_view key, uint64_t spans) {
  if (!key.starts_with(query_.prefix)) return absl::OkStatus();
  return counts_.Add({scope, std::string(key)}, key.size(), spans);
}

template <typename Attributes>
void KeyCounts::Collect(AttributeScope scope, const Attributes& attributes) {
  for (const otlp::AttributeView attribute : attributes) keys_.emplace_back(scope, attribute.key());
}

std::vector<KeyName> KeyCounts::Take() && {
  return std::move(counts_).Take<KeyName>(query_.names_max, [](const auto& key, uint64_t spans) {
    return KeyName{.scope = key.first, .key = key.second, .spans = spans};
  });
}

Status ValueCounts::Add(TraceReading& trace, ReadMeter& meter) {
  for (size_t ordinal = 0; ordinal < trace.size(); ++ordinal) {
    RETURN_IF_ERROR(meter.Step());
    if (!query_.names.starts.Contains(trace.start_unix_ns(ordinal)) || !where_.Matches(trace, ordinal)) continue;
    RETURN_IF_ERROR(AddSpan(trace, ordinal));
  }
  return absl::OkStatus();
}

Status ValueCounts::AddSpan(TraceReading& trace, size_t ordinal) {
  values_.clear();
  texts_.Clear();
  ForEachValue(query_.field, trace, ordinal, texts_, [this](const Cell& cell) {
    values_.emplace_back(cell);
    return true;
  });
  SortAndDropRepeated(values_);
  for (const Value& value : values_) RETURN_IF_ERROR(AddSpans(value, 1));
  return absl::OkStatus();
}

Status ValueCounts::AddSpans(const Value& value, uint64_t spans) {
  const std::string& prefix = query_.names.prefix;
  if (!prefix.empty() && !value.ToText().starts_with(prefix)) return absl::OkStatus();
  return counts_.Add(value, value.cell().text_size(), spans);
}

std::vector<FieldValue> ValueCounts::Take() && {
  return std::move(counts_).Take<FieldValue>(query_.names.names_max, [](const Value& value, uint64_t spans) {
    return FieldValue{.value = value, .spans = spans};
  });
}

Status ValidateValueQuery(const ValueQuery& query) {
  RETURN_IF_ERROR(query.where.Validate());
  if (!query.field.is_nested_set()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      StrCat("the values of ", query.field.ToString(), " are numbers of one trace each and are not listed"));
}

}  // namespace spanloom::store::scan
