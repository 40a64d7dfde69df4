// SPDX-License-Identifier: Apache-2.0
//
// What an OK of a pipeline means, for the log and for whoever starts the process.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"

namespace spanloom::pipeline {

// What one component may lose with the process.
struct LossWindow {
  std::string by;  // "processor \"batch\""
  HoldLimits limits;
};

// What a client may rely on when one of its requests is answered OK.
struct PipelineAck {
  std::string pipeline = {};  // "traces/payloads"
  AckGrade grade = AckGrade::kDelivered;
  std::string by = {};                        // who promises it: "processor \"batch\""
  std::string safety = {};                    // of kStored: how safe that is
  std::vector<LossWindow> loss_windows = {};  // of kQueued, in the order in which spans come by
};

// "stored", "queued in bounded memory" or "delivered".
[[nodiscard]] std::string_view GradeText(const PipelineAck& ack);

// The loss window in words: "at most 500000 spans or 67108864 bytes in processor "batch" (200ms)"; how safe the store
// is for kStored; "" for kDelivered.
[[nodiscard]] std::string RiskText(const PipelineAck& ack);

}  // namespace spanloom::pipeline
