// SPDX-License-Identifier: Apache-2.0

#include "store/span_tags.h"

namespace spanloom::store {
namespace {

using otlp::SpanKind;
using otlp::StatusCode;

void AddIfSet(std::string_view key, std::string_view text, SpanTags& tags) {
  if (!text.empty()) tags.push_back({.key = key, .text = text});
}

}  // namespace

std::string_view SpanKindText(SpanKind kind) {
  switch (kind) {
    case SpanKind::kInternal:
      return "internal";
    case SpanKind::kServer:
      return "server";
    case SpanKind::kClient:
      return "client";
    case SpanKind::kProducer:
      return "producer";
    case SpanKind::kConsumer:
      return "consumer";
    default:
      return "";
  }
}

std::string_view StatusCodeText(StatusCode code) {
  if (code == StatusCode::kOk) return "OK";
  return code == StatusCode::kError ? "ERROR" : "";
}

SpanTags TagsOf(const otlp::ScopeView& scope) {
  SpanTags tags;
  AddIfSet("otel.scope.name", scope.name(), tags);
  AddIfSet("otel.scope.version", scope.version(), tags);
  return tags;
}

SpanTags TagsOf(const otlp::SpanView& span) {
  SpanTags tags;
  AddIfSet("span.kind", SpanKindText(span.kind()), tags);
  AddIfSet("otel.status_code", StatusCodeText(span.status_code()), tags);
  if (span.status_code() == StatusCode::kError) tags.push_back({.key = "error", .text = "true", .is_bool = true});
  AddIfSet("otel.status_description", span.status_message(), tags);
  AddIfSet("w3c.tracestate", span.trace_state(), tags);
  return tags;
}

}  // namespace spanloom::store
