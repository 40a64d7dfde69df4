// SPDX-License-Identifier: Apache-2.0
//
// The traces of a memory store, for those who follow it.

#pragma once

#include <cstddef>
#include <memory>

#include "store/head/trace_source.h"
#include "store/head/trace_table.h"

namespace spanloom::store::memory {

// Each trace is as it is when it is asked for. `table` must outlive it. Thread-compatible.
class TableTraces final : public head::TraceSource {
 public:
  explicit TableTraces(const head::LockedTable& table) : table_(table) {}

  StatusOr<std::shared_ptr<const void>> Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                             scan::ReadMeter& meter) override;
  StatusOr<size_t> CountSpans(const otlp::TraceId& id) override { return SpansOf(id).size(); }

 private:
  [[nodiscard]] head::TraceSpans SpansOf(const otlp::TraceId& id) const;

  const head::LockedTable& table_;
};

}  // namespace spanloom::store::memory
