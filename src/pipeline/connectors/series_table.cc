// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/series_table.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kOverflowKey;  // "": other keys are never empty

}  // namespace

void Series::WriteAttributes(otlp::AttributeWriter& writer) const {
  for (const otlp::AttributeView attribute : otlp::RepeatedView<otlp::AttributeView, 1>(attributes)) {
    writer.Copy(attribute);
  }
}

Series& SeriesTable::Find(std::string_view key, absl::FunctionRef<Series()> make,
                          absl::FunctionRef<Series()> make_overflow) {
  const auto known = by_key_.find(AbslView(key));
  if (known != by_key_.end() && known->second->is_active) return *known->second;
  const bool is_full = limits_.active_max > 0 && active_ >= limits_.active_max;
  if (!is_full && known != by_key_.end()) return Activate(*known->second);
  if (!is_full && limits_.total < limits_.total_max) return Activate(Insert(key, make()));
  const auto overflow = by_key_.find(AbslView(kOverflowKey));
  Series& series = overflow != by_key_.end() ? *overflow->second : Insert(kOverflowKey, make_overflow());
  series.is_active = true;
  return series;
}

Series& SeriesTable::Activate(Series& series) {
  series.is_active = true;
  ++active_;
  return series;
}

Series& SeriesTable::Insert(std::string_view key, Series series) {
  auto owned = std::make_unique<Series>(std::move(series));
  Series& inserted = *owned;
  by_key_.emplace(key, std::move(owned));
  series_.push_back(&inserted);
  ++limits_.total;
  return inserted;
}

void SeriesTable::Reset(const HistogramShape* shape, Series& series, uint64_t now_unix_ns) {
  series.count = 0;
  if (series.histogram) series.histogram->Reset(*shape);
  series.start_unix_ns = now_unix_ns;
  if (!std::exchange(series.is_active, false)) return;
  const auto overflow = by_key_.find(AbslView(kOverflowKey));
  if (overflow == by_key_.end() || overflow->second.get() != &series) --active_;
}

void SeriesTable::EraseIf(absl::FunctionRef<bool(const Series&)> drop) {
  const auto overflow = by_key_.find(AbslView(kOverflowKey));
  const Series* const overflowing = overflow == by_key_.end() ? nullptr : overflow->second.get();
  const auto dropped =
      std::stable_partition(series_.begin(), series_.end(), [&](const Series* series) { return !drop(*series); });
  if (dropped == series_.end()) return;
  absl::flat_hash_map<const Series*, bool> gone;
  for (auto series = dropped; series != series_.end(); ++series) {
    gone[*series] = true;
    if ((*series)->is_active && *series != overflowing) --active_;
    --limits_.total;
  }
  series_.erase(dropped, series_.end());
  absl::erase_if(by_key_, [&](const auto& entry) { return gone.contains(entry.second.get()); });
}

}  // namespace spanloom::pipeline
