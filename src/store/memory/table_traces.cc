// SPDX-License-Identifier: Apache-2.0

#include "store/memory/table_traces.h"

#include "store/head/candidate_reader.h"

namespace spanloom::store::memory {

StatusOr<std::shared_ptr<const void>> TableTraces::Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                                        scan::ReadMeter& meter) {
  auto spans = std::make_shared<const head::TraceSpans>(SpansOf(id));
  RETURN_IF_ERROR(head::ReadTrace({.id = id, .spans = *spans}, reading, meter));
  return spans;
}

head::TraceSpans TableTraces::SpansOf(const otlp::TraceId& id) const {
  const MutexLock lock(table_.mutex);
  const head::StoredTrace* const trace = table_.table.Find(id);
  return trace == nullptr ? head::TraceSpans() : trace->spans;
}

}  // namespace spanloom::store::memory
