// SPDX-License-Identifier: Apache-2.0

#include "app/start_message.h"

#include "app/version.h"
#include "base/text.h"

namespace spanloom::app {
namespace {

void AppendLine(std::string_view label, std::string_view text, std::string& message) {
  constexpr size_t kLabelWidth = 12;
  StrAppend(message, "  ", label, std::string(kLabelWidth - label.size(), ' '), text, "\n");
}

}  // namespace

std::string StartMessage(const std::vector<pipeline::Endpoint>& endpoints,
                         const std::vector<pipeline::PipelineAck>& acks, std::string_view store) {
  std::string message = StrCat("Spanloom ", Version(), " is ready\n");
  for (const pipeline::Endpoint& endpoint : endpoints) AppendLine(endpoint.serves, endpoint.address, message);
  if (!store.empty()) AppendLine("store", store, message);
  for (const pipeline::PipelineAck& ack : acks) {
    const std::string risk = pipeline::RiskText(ack);
    AppendLine(
        "pipeline",
        StrCat(ack.pipeline, ": senders are told OK when spans are ", pipeline::GradeText(ack), " (", ack.by, ")",
               risk.empty() ? "" : "; ", ack.grade == pipeline::AckGrade::kQueued ? "a crash loses " : "", risk),
        message);
  }
  return message;
}

}  // namespace spanloom::app
