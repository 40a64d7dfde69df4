// SPDX-License-Identifier: Apache-2.0
//
// The table of a routing connector: asks of each span its routes in order, and sorts a batch by the ways they lead.

#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "otlp/batch.h"
#include "pipeline/component.h"
#include "pipeline/connectors/compiled_route.h"
#include "pipeline/connectors/routing_options.h"
#include "pipeline/processors/ottl_options.h"

namespace spanloom::pipeline {

// Thread-safe. Metrics and logs are sorted by request alone, without being read.
class RoutingTable {
 public:
  // `connector` is who the log says that a condition failed of. `options` have passed their checks; `clock` outlives
  // the table. A route that asks the same as one before it is left out, as by the Collector.
  RoutingTable(const std::string& connector, const RoutingOptions& options, const Clock& clock);

  // [ways] the pipelines of each. Routes to the same pipelines are one way, but for those that edit.
  [[nodiscard]] const std::vector<std::vector<ComponentId>>& ways() const { return ways_; }
  // Conditions (or statements) of routes that are left out.
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

  // kUnavailable if a condition fails and the error mode is propagate. A condition that fails does not hold else.
  StatusOr<WayShares> Choose(const otlp::Batch& batch);

 private:
  static constexpr size_t kNoWay = std::numeric_limits<size_t>::max();

  struct Line {
    CompiledRoute route;
    size_t way = 0;
    bool copies = false;
  };
  class SliceWalk;
  class Sorting;

  size_t WayOf(const std::vector<ComponentId>& pipelines, bool is_shared);
  // True to go on with the next condition.
  bool GoesOn(std::string_view text, const Status& error, Status& refusal) {
    return errors_.GoesOn(error_mode_, text, error, refusal);
  }
  // Deletes what routes say of what has taken them.
  Status Edit(std::vector<WayShare>& shares);

  const OttlErrorMode error_mode_;
  OttlErrors errors_;
  std::vector<std::vector<ComponentId>> ways_;
  std::vector<bool> shared_;  // [ways], false if it is of one route that edits
  std::vector<Line> lines_;
  size_t default_way_ = kNoWay;
  bool reads_ = false;  // some route is asked of resources or spans
  std::vector<std::string> left_out_;
};

}  // namespace spanloom::pipeline
