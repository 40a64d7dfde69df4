// SPDX-License-Identifier: Apache-2.0
//
// What one configuration runs: its parts, and the wiring that joins them into pipelines. Where a pipeline stores, its
// wiring is not in the order in which it is written: docs/decisions/0013-the-pipeline-contract.md.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "pipeline/inlet.h"
#include "pipeline/part.h"
#include "pipeline/pipeline_ack.h"
#include "pipeline/pipeline_list.h"
#include "pipeline/service_config.h"

namespace spanloom::pipeline {

// Owns the entries, stages and fan-outs; refers to parts. Their callbacks may come after its end, and then use nothing
// of it. Immutable once it is built.
class Wiring {
 public:
  template <typename Joint, typename... Arguments>
  Joint& Add(Arguments&&... arguments) {
    auto joint = std::make_unique<Joint>(std::forward<Arguments>(arguments)...);
    Joint& added = *joint;
    joints_.push_back(std::move(joint));
    return added;
  }

 private:
  std::vector<std::unique_ptr<Consumer>> joints_;
};

struct Assembly {
  // In the order of starting: extensions, exporters, then processors and connectors from the back to the front,
  // receivers.
  std::vector<PartPtr> parts = {};
  std::shared_ptr<const Wiring> wiring = {};                  // shared with what passes through it
  std::map<Inlet*, Consumer*> leads = {};                     // where each part passes on to
  std::map<PartPtr, std::optional<Grouping>> groupings = {};  // of exporters that store
  std::vector<PipelineAck> acks = {};                         // in the order of the configuration
  std::vector<PipelineDescription> pipelines = {};            // in the same order

  // The part with this key; null if there is none.
  [[nodiscard]] PartPtr Find(const PartKey& key) const;
};

// Makes what `config`, which came from ParseServiceConfig with this `registry`, needs beyond `running`: a part of
// `running` stays if its options are the same. Nothing is started, no inlet is switched.
Assembly Assemble(const ServiceConfig& config, const Registry& registry, const BuildContext& context,
                  StatusBoard& board, const Assembly& running);

}  // namespace spanloom::pipeline
