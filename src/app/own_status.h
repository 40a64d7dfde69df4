// SPDX-License-Identifier: Apache-2.0
//
// How this process is doing, for the page: read from its own metrics, from what receivers know of their senders, and
// from its store.

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "pipeline/receivers/sender_table.h"
#include "query/status_source.h"

namespace spanloom::app {

// Thread-safe.
class OwnStatus final : public query::StatusSource {
 public:
  // `store` is called at each question, for all of the state but the segments. The rest must outlive this.
  OwnStatus(const MetricRegistry& metrics, const pipeline::SenderTable& senders,
            std::function<query::StoreState()> store, const Clock& clock, int64_t started_unix_ns);

  [[nodiscard]] query::StatusReport Status() const override;

 private:
  const MetricRegistry& metrics_;
  const pipeline::SenderTable& senders_;
  const std::function<query::StoreState()> store_;
  const Clock& clock_;
  const int64_t started_unix_ns_;
};

}  // namespace spanloom::app
