// SPDX-License-Identifier: Apache-2.0
//
// Where connectors pass on the metrics that they have made. They are not offered again: the next ones come soon.

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "pipeline/connectors/metrics_requests.h"
#include "pipeline/drops.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Thread-safe.
class MetricsOutlet {
 public:
  MetricsOutlet(const ComponentId& id, const BuildContext& context, Consumer& next);

  // Offers each request to what stands behind; what is refused is counted as dropped.
  void Send(std::vector<MetricsRequest> requests);
  // Waits until all that was sent has been answered, for at most `grace`.
  void Drain(std::chrono::milliseconds grace);

 private:
  // Shared with answers that come late.
  struct Pending;
  Consumer& next_;
  const std::shared_ptr<Pending> pending_;
};

}  // namespace spanloom::pipeline
