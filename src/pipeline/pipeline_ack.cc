// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_ack.h"

#include "base/text.h"
#include "config/duration.h"

namespace spanloom::pipeline {
namespace {

void AppendLimit(const std::optional<uint64_t>& limit, std::string_view unit, std::string& text) {
  if (limit) StrAppend(text, text.empty() ? "at most " : " or ", *limit, " ", unit);
}

std::string WindowText(const LossWindow& window) {
  std::string text;
  AppendLimit(window.limits.requests, "requests", text);
  AppendLimit(window.limits.spans, "spans", text);
  AppendLimit(window.limits.bytes, "bytes", text);
  StrAppend(text, text.empty() ? "" : " ", "in ", window.by);
  if (window.limits.time) StrAppend(text, " (", config::FormatDuration(*window.limits.time), ")");
  return text;
}

}  // namespace

std::string_view GradeText(const PipelineAck& ack) {
  switch (ack.grade) {
    case AckGrade::kStored:
      return "stored";
    case AckGrade::kQueued:
      return "queued in bounded memory";
    case AckGrade::kDelivered:
      return "delivered";
  }
  return "";
}

std::string RiskText(const PipelineAck& ack) {
  if (ack.grade == AckGrade::kStored) return ack.safety;
  std::string text;
  for (const LossWindow& window : ack.loss_windows) StrAppend(text, text.empty() ? "" : ", ", WindowText(window));
  return text;
}

}  // namespace spanloom::pipeline
