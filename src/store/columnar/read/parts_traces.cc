// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/read/parts_traces.h"

#include <utility>
#include <vector>

namespace spanloom::store::columnar {

const Parts& PartsTraces::parts() {
  if (!parts_) {
    parts_.emplace(table_.Now());
    gatherer_.emplace(*parts_, table_.split());
  }
  return *parts_;
}

TraceHint PartsTraces::HintOf(const otlp::TraceId& id) {
  TraceHint hint;
  for (const head::LockedTable* const table : {parts().filling.get(), parts().full.get()}) {
    if (table != nullptr && hint.head.empty()) hint.head = SpansIn(*table, id);
  }
  return hint;
}

StatusOr<std::shared_ptr<const void>> PartsTraces::Read(const otlp::TraceId& id, scan::TraceReading& reading,
                                                        scan::ReadMeter& meter) {
  const TraceHint hint = HintOf(id);
  StatusOr<GatheredSpans> gathered = gatherer_->Gather(id, hint, meter);
  if (absl::IsDataLoss(gathered.status())) {
    damage_.Add(gathered.status());
    return nullptr;
  }
  ASSIGN_OR_RETURN(GatheredSpans spans, std::move(gathered));
  if (spans == nullptr) spans = std::make_shared<const std::vector<StoredSpan>>();
  RETURN_IF_ERROR(reading.Read(id, *spans, meter));
  return spans;
}

StatusOr<size_t> PartsTraces::CountSpans(const otlp::TraceId& id) {
  size_t size = 0;
  for (const head::LockedTable* const table : {parts().filling.get(), parts().full.get()}) {
    if (table != nullptr) size += SpansIn(*table, id).size();
  }
  if (size > 0 && !table_.split().Contains(id)) return size;  // it lies nowhere else
  const Status status = parts().segments.Find(id, [&](size_t, const TracePlace& place) {
    size += place.rows();
    return absl::OkStatus();
  });
  if (absl::IsDataLoss(status)) {
    damage_.Add(status);
    return size;
  }
  RETURN_IF_ERROR(status);
  return size;
}

}  // namespace spanloom::store::columnar
