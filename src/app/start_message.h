// SPDX-License-Identifier: Apache-2.0
//
// What `serve` says on standard output when it is ready: what to open, where to send spans, what happens to them.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/component.h"
#include "pipeline/pipeline_ack.h"

namespace spanloom::app {

// A few lines, the last one ended. `store` is one sentence.
std::string StartMessage(const std::vector<pipeline::Endpoint>& endpoints,
                         const std::vector<pipeline::PipelineAck>& acks, std::string_view store);

}  // namespace spanloom::app
