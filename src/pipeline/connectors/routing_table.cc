// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/routing_table.h"

#include <absl/algorithm/container.h>

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/check.h"

namespace spanloom::pipeline {

// Asks the routes of one slice. What it is asked about one after the other are spans, or, if nothing is read, the
// slice.
class RoutingTable::SliceWalk {
 public:
  SliceWalk(RoutingTable& table, const otlp::Slice& slice) : table_(table), answers_(table.lines_.size()) {
    for (size_t i = 0; i < answers_.size(); ++i) {
      const CompiledRoute& route = table.lines_[i].route;
      if (route.context() != RouteContext::kRequest) continue;
      answers_[i] = route.MatchesRequest(slice.origin().get()) ? Answer::kYes : Answer::kNo;
    }
    if (table.reads_) {
      slice.ForEach([this](const otlp::SpanContext& span) { Ask(&span); });
    } else {
      Ask(nullptr);
    }
  }

  // [asked] where each was moved to, kNoWay if nowhere.
  [[nodiscard]] const std::vector<size_t>& moved() const { return moved_; }
  // By way: [asked] whether it was copied there; shorter if none of the last was.
  [[nodiscard]] const std::map<size_t, std::vector<bool>>& copied() const { return copied_; }
  // [asked] whether it was copied anywhere.
  [[nodiscard]] const std::vector<bool>& is_copied() const { return is_copied_; }
  [[nodiscard]] const Status& refusal() const { return refusal_; }

 private:
  enum class Answer : uint8_t { kUnknown, kNo, kYes };

  void Ask(const otlp::SpanContext* span) {
    if (!refusal_.ok()) return;
    if (span != nullptr && once_.IsNew(*span)) ForgetResource();
    const size_t index = moved_.size();
    is_copied_.push_back(false);
    moved_.push_back(table_.default_way_);
    for (size_t i = 0; i < answers_.size(); ++i) {
      const Line& line = table_.lines_[i];
      if (!Holds(i, span)) continue;
      if (!line.copies) {
        moved_.back() = line.way;
        return;
      }
      std::vector<bool>& copied = copied_[line.way];
      copied.resize(index + 1);
      copied[index] = true;
      is_copied_.back() = true;
    }
  }

  bool Holds(size_t index, const otlp::SpanContext* span) {
    const CompiledRoute& route = table_.lines_[index].route;
    Answer& answer = answers_[index];
    if (answer != Answer::kUnknown) return answer == Answer::kYes;
    const bool holds = route.Matches(ottl::Scene(*span), [this](std::string_view text, const Status& error) {
      return table_.GoesOn(text, error, refusal_);
    });
    if (route.context() == RouteContext::kResource) answer = holds ? Answer::kYes : Answer::kNo;
    return holds;
  }

  void ForgetResource() {
    for (size_t i = 0; i < answers_.size(); ++i) {
      if (table_.lines_[i].route.context() == RouteContext::kResource) answers_[i] = Answer::kUnknown;
    }
  }

  RoutingTable& table_;
  OncePer once_{ottl::Context::kResource};
  std::vector<Answer> answers_;  // [lines], what is known of the request, of the resource
  std::vector<size_t> moved_;
  std::map<size_t, std::vector<bool>> copied_;
  std::vector<bool> is_copied_;
  Status refusal_;
};

// Gathers slices by way.
class RoutingTable::Sorting {
 public:
  explicit Sorting(const RoutingTable& table) : batches_(table.ways_.size()), has_moved_(table.ways_.size()) {}

  void Add(const otlp::Slice& slice, const SliceWalk& walk) {
    CountLeftOver(slice, walk);
    for (const auto& [way, copied] : walk.copied()) AddCopied(slice, walk, way, copied);
    AddMoved(slice, walk);
  }

  [[nodiscard]] WayShares Take() {
    WayShares all{.unrouted_spans = unrouted_spans_};
    for (size_t way = 0; way < batches_.size(); ++way) {
      if (batches_[way].empty()) continue;
      // If all spans went on, each that was only copied here is elsewhere too.
      const bool is_extra = !has_moved_[way] && !leaves_copied_;
      all.shares.push_back({.way = way, .batch = std::move(batches_[way]), .is_extra = is_extra});
    }
    return all;
  }

 private:
  void CountLeftOver(const otlp::Slice& slice, const SliceWalk& walk) {
    const size_t spans_each = slice.span_count() / walk.moved().size();  // 1, or all of the slice
    for (size_t i = 0; i < walk.moved().size(); ++i) {
      if (walk.moved()[i] != kNoWay) continue;
      if (walk.is_copied()[i]) {
        leaves_copied_ = true;
      } else {
        unrouted_spans_ += spans_each;
      }
    }
  }

  // What was copied to `way`, with what was moved there too: a span goes a way once.
  void AddCopied(const otlp::Slice& slice, const SliceWalk& walk, size_t way, const std::vector<bool>& copied) {
    std::vector<bool> goes(copied);
    goes.resize(walk.moved().size());
    for (size_t i = 0; i < goes.size(); ++i) {
      if (walk.moved()[i] != way) continue;
      goes[i] = true;
      has_moved_[way] = true;
    }
    otlp::Slice share = slice;
    if (!absl::c_linear_search(goes, false)) return batches_[way].Add(std::move(share));
    size_t index = 0;
    share.DropIf([&](const otlp::SpanContext&) { return !goes[index++]; });
    batches_[way].Add(std::move(share));
  }

  // What was moved elsewhere than AddCopied has seen.
  void AddMoved(const otlp::Slice& slice, const SliceWalk& walk) {
    std::map<size_t, size_t> part_of_way;  // by way, kNoWay too
    for (const size_t way : walk.moved()) part_of_way.try_emplace(way, part_of_way.size());
    std::vector<otlp::Slice> parts = {slice};
    if (part_of_way.size() > 1) {
      size_t index = 0;
      parts = slice.Split(part_of_way.size(),
                          [&](const otlp::SpanContext&) { return part_of_way.at(walk.moved()[index++]); });
    }
    for (const auto& [way, part] : part_of_way) {
      if (way == kNoWay || walk.copied().contains(way)) continue;
      has_moved_[way] = true;
      batches_[way].Add(std::move(parts[part]));
    }
  }

  std::vector<otlp::Batch> batches_;  // [ways]
  std::vector<bool> has_moved_;       // [ways]
  size_t unrouted_spans_ = 0;
  bool leaves_copied_ = false;  // a span was copied, and then neither moved nor taken by the default
};

RoutingTable::RoutingTable(const std::string& connector, const RoutingOptions& options, const Clock& clock)
    : error_mode_(options.error_mode), errors_(connector, "condition", clock, "connector") {
  std::set<std::string> keys;
  for (const RouteOptions& described : options.table) {
    StatusOr<CompiledRoute> route = CompiledRoute::Compile(described, clock);
    CHECK(route.ok());
    if (!keys.insert(route->key()).second) {
      left_out_.push_back(described.condition.empty() ? described.statement : described.condition);
      continue;
    }
    reads_ = reads_ || route->context() != RouteContext::kRequest;
    const size_t way = WayOf(PipelineIds(described.pipelines), !route->edits());
    lines_.push_back({*std::move(route), way, described.action == RouteAction::kCopy});
  }
  const std::vector<ComponentId> defaults = PipelineIds(options.default_pipelines);
  if (!defaults.empty()) default_way_ = WayOf(defaults, true);
}

size_t RoutingTable::WayOf(const std::vector<ComponentId>& pipelines, bool is_shared) {
  for (size_t way = 0; way < ways_.size() && is_shared; ++way) {
    if (shared_[way] && ways_[way] == pipelines) return way;
  }
  ways_.push_back(pipelines);
  shared_.push_back(is_shared);
  return ways_.size() - 1;
}

StatusOr<WayShares> RoutingTable::Choose(const otlp::Batch& batch) {
  Sorting sorting(*this);
  for (const otlp::Slice& slice : batch.slices()) {
    if (slice.span_count() == 0) continue;
    const SliceWalk walk(*this, slice);
    RETURN_IF_ERROR(walk.refusal());
    sorting.Add(slice, walk);
  }
  WayShares all = sorting.Take();
  RETURN_IF_ERROR(Edit(all.shares));
  return all;
}

Status RoutingTable::Edit(std::vector<WayShare>& shares) {
  Status refusal;
  for (WayShare& share : shares) {
    if (shared_[share.way]) continue;
    const auto line = absl::c_find_if(lines_, [&](const Line& each) { return each.way == share.way; });
    for (otlp::Slice& slice : share.batch.slices()) {
      line->route.Edit(slice, [&](std::string_view text, const Status& error) { return GoesOn(text, error, refusal); });
    }
  }
  return refusal;
}

}  // namespace spanloom::pipeline
