// SPDX-License-Identifier: Apache-2.0

#include "app/start_message.h"

#include "app/version.h"
#include "base/text.h"

namespace spanloom::app {
namespace {

std::string_view GradeText(pipeline::AckGrade grade) {
  switch (grade) {
    case pipeline::AckGrade::kStored:
      return "stored";
    case pipeline::AckGrade::kQueued:
      return "queued in memory";
    case pipeline::AckGrade::kDelivered:
      return "delivered";
  }
  return "";
}

void AppendLine(std::string_view label, std::string_view text, std::string& message) {
  constexpr size_t kLabelWidth = 12;
  StrAppend(message, "  ", label, std::string(kLabelWidth - label.size(), ' '), text, "\n");
}

}  // namespace

std::string StartMessage(const std::vector<pipeline::Endpoint>& endpoints,
                         const std::vector<pipeline::PipelineAck>& acks, std::string_view store) {
  std::string message = StrCat("Spanloom ", Version(), " is ready\n");
  for (const pipeline::Endpoint& endpoint : endpoints) AppendLine(endpoint.serves, endpoint.address, message);
  AppendLine("store", store, message);
  for (const pipeline::PipelineAck& ack : acks) {
    AppendLine("pipeline",
               StrCat(ack.pipeline, ": senders are told OK when spans are ", GradeText(ack.grade), " (", ack.by, ")"),
               message);
  }
  return message;
}

}  // namespace spanloom::app
