// SPDX-License-Identifier: Apache-2.0

#include "store/scan/series_table.h"

#include <absl/hash/hash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::scan {
namespace {

constexpr size_t kBucketBytes = 8;  // a count

// Spreads ids evenly, and the same in every process: FNV-1a, mixed as SplitMix64 does.
uint64_t DrawOf(const Exemplar& exemplar) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const std::string_view part : {exemplar.trace_id.view(), exemplar.span_id.view()}) {
    for (const char byte : part) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3ULL;
  }
  hash = (hash ^ exemplar.start_unix_ns ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ULL;
  return hash ^ (hash >> 31);
}

}  // namespace

SeriesTable::SeriesTable(const SeriesTableOptions& options)
    : options_(options),
      steps_(static_cast<size_t>(StepsOf(options.starts, options.step_ns))),
      slots_(std::min(steps_, options.exemplars_max)) {}

void SeriesTable::EncodeKey(std::span<const Cell> group, std::string& key) {
  key.clear();
  for (const Cell& cell : group) {
    key += static_cast<char>(cell.kind());
    const bool is_text = cell.kind() >= ValueKind::kString;
    const uint64_t scalar = is_text                             ? cell.text().size()
                            : cell.kind() == ValueKind::kDouble ? std::bit_cast<uint64_t>(cell.double_value())
                                                                : static_cast<uint64_t>(cell.int_value());
    key.append(reinterpret_cast<const char*>(&scalar), sizeof(scalar));
    if (is_text) key += cell.text();
  }
}

StatusOr<SeriesTable::Series*> SeriesTable::FindOrAdd(std::span<const Cell> group) {
  EncodeKey(group, key_);
  const auto found = series_.find(key_);
  if (found != series_.end()) return &found->second;
  if (series_.size() >= options_.series_max) {
    return absl::ResourceExhaustedError(StrCat("more than ", options_.series_max, " groups; group by less"));
  }
  bytes_ += sizeof(Series) + 2 * key_.size() + steps_ * sizeof(Aggregate);
  if (bytes_ > options_.bytes_max) return TooLarge();
  Series& series = series_[key_];
  for (const Cell& cell : group) series.answer.group.emplace_back(cell);
  series.answer.steps.resize(steps_);
  series.slots.resize(slots_);
  return &series;
}

Status SeriesTable::TooLarge() const {
  return absl::ResourceExhaustedError(StrCat(series_.size(), " groups of ", steps_, " steps exceed ",
                                             options_.bytes_max, " bytes; group by less, or take longer steps"));
}

size_t SeriesTable::StepOf(uint64_t start_unix_ns) const {
  DCHECK(options_.starts.Contains(start_unix_ns));
  return options_.step_ns == 0
             ? 0
             : static_cast<size_t>((start_unix_ns - options_.starts.begin_unix_ns) / options_.step_ns);
}

Status SeriesTable::Add(std::span<const Cell> group, uint64_t start_unix_ns, std::span<const double> numbers,
                        const otlp::TraceId& trace_id, const otlp::SpanId& span_id) {
  ASSIGN_OR_RETURN(Series* const series, FindOrAdd(group));
  const size_t step = StepOf(start_unix_ns);
  Aggregate& sum = series->answer.steps[step];
  ++sum.spans;
  const size_t buckets = sum.distribution.bucket_count();
  for (const double number : numbers) sum.Add(number, options_.wants_distribution);
  bytes_ += (sum.distribution.bucket_count() - buckets) * kBucketBytes;
  if (bytes_ > options_.bytes_max) return TooLarge();
  if (slots_ == 0 || (options_.has_of && numbers.empty())) return absl::OkStatus();
  AddExemplar({.trace_id = trace_id,
               .span_id = span_id,
               .start_unix_ns = start_unix_ns,
               .value = numbers.empty() ? 1 : numbers.front()},
              step, *series);
  return absl::OkStatus();
}

void SeriesTable::AddExemplar(const Exemplar& exemplar, size_t step, Series& series) const {
  const auto is_less = [](const Drawn& a, const Drawn& b) { return a.draw < b.draw; };
  std::vector<Drawn>& slot = series.slots[step * slots_ / steps_];
  slot.push_back({.draw = DrawOf(exemplar), .exemplar = exemplar});
  std::push_heap(slot.begin(), slot.end(), is_less);
  if (slot.size() <= options_.exemplars_max / slots_) return;
  std::pop_heap(slot.begin(), slot.end(), is_less);
  slot.pop_back();
}

AggregateAnswer SeriesTable::Take() && {
  AggregateAnswer answer;
  for (auto& [key, series] : series_) {
    std::vector<Exemplar>& exemplars = series.answer.exemplars;
    for (const std::vector<Drawn>& slot : series.slots) {
      for (const Drawn& drawn : slot) exemplars.push_back(drawn.exemplar);
    }
    std::sort(exemplars.begin(), exemplars.end(), [](const Exemplar& a, const Exemplar& b) {
      return std::tie(a.start_unix_ns, a.trace_id, a.span_id) < std::tie(b.start_unix_ns, b.trace_id, b.span_id);
    });
    answer.push_back(std::move(series.answer));
  }
  std::sort(answer.begin(), answer.end(), [](const auto& a, const auto& b) { return a.group < b.group; });
  return answer;
}

}  // namespace spanloom::store::scan
