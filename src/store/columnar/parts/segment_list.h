// SPDX-License-Identifier: Apache-2.0
//
// The segments of a store at one moment, by arrival, and which of them may have a trace. To ask each would take a tenth
// of a microsecond a segment, for every trace that begins; so most of them are asked for together, group by group.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "otlp/ids.h"
#include "store/columnar/parts/segment.h"
#include "store/columnar/parts/segment_group.h"

namespace spanloom::store::columnar {

// A value, cheap to copy: copies share what they have. Changes make another list, in O(segments).
class SegmentList {
 public:
  using Pointer = std::shared_ptr<const Segment>;
  using Iterator = std::vector<Pointer>::const_iterator;

  SegmentList();

  [[nodiscard]] Iterator begin() const { return content_->segments.begin(); }
  [[nodiscard]] Iterator end() const { return content_->segments.end(); }
  [[nodiscard]] size_t size() const { return content_->segments.size(); }
  [[nodiscard]] bool empty() const { return content_->segments.empty(); }
  [[nodiscard]] const Pointer& operator[](size_t index) const { return content_->segments[index]; }
  // The index of the segment with that id.
  [[nodiscard]] std::optional<size_t> IndexOf(uint64_t segment_id) const;

  // Visits the segments that have the trace, in order, by index. Errors: those of Segment::Find and of the visitor.
  Status Find(const otlp::TraceId& id, absl::FunctionRef<Status(size_t, const TracePlace&)> visit) const;

  // With a segment behind the last one.
  [[nodiscard]] SegmentList With(Pointer segment) const;
  // With another segment, or none (null), in place of [begin, end).
  [[nodiscard]] SegmentList WithInstead(size_t begin, size_t end, Pointer segment) const;

  // A group to be added; null while few segments are in none. Groups of about one size are brought together, so that N
  // segments are in O(log N) groups, and in a few more while they are few.
  [[nodiscard]] std::shared_ptr<const SegmentGroup> MakeGroup() const;
  [[nodiscard]] SegmentList WithGroup(std::shared_ptr<const SegmentGroup> group) const;
  [[nodiscard]] size_t groups() const { return content_->groups.size(); }

 private:
  struct Content {
    std::vector<Pointer> segments;
    std::vector<std::shared_ptr<const SegmentGroup>> groups;
    absl::flat_hash_map<uint64_t, uint32_t> indices;  // by id of the segment
    std::vector<uint32_t> ungrouped;                  // indices, ascending
  };

  explicit SegmentList(Content content);
  [[nodiscard]] std::vector<size_t> LiveSizes() const;

  std::shared_ptr<const Content> content_;  // never null
};

}  // namespace spanloom::store::columnar
