// SPDX-License-Identifier: Apache-2.0
//
// What a predicate means for one span in its trace. The one definition: stores that scan use it as it is, stores with
// columns or a database of their own are tested against it.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/predicate.h"
#include "store/scan/condition_check.h"
#include "store/scan/text_arena.h"
#include "store/scan/trace_reading.h"

namespace spanloom::store::scan {

// The parts of All() or Any(), which mean the same in any order: what is cheap to ask, and often decides, comes first.
// They borrow from `predicate`.
[[nodiscard]] std::vector<const Predicate*> CheapestFirst(const Predicate& predicate);

// A predicate compiled once and asked of many spans. Thread-compatible: it remembers the last origin.
//
// A condition holds by the rules of Comparison over the values that span_fields.h reads. kHasText of an attribute looks
// at each attribute of that key as it stands (value_text.h). Not() holds where its part does not: also where the field
// is absent.
class PredicateMatcher {
 public:
  // `predicate` must be valid; it need not outlive the matcher.
  explicit PredicateMatcher(const Predicate& predicate);

  // Whether the span at `ordinal` of `trace` meets the predicate.
  [[nodiscard]] bool Matches(TraceReading& trace, size_t ordinal);

  // True if it holds for every span.
  [[nodiscard]] bool matches_everything() const { return root_.kind == Predicate::Kind::kEverything; }

  // True if a condition is about the trace, or the span's place in it.
  [[nodiscard]] bool needs_trace() const { return NeedsTrace(root_); }

  // The service that a span must be of, if the predicate says so: by kService = "x", alone or within All().
  [[nodiscard]] std::optional<std::string> service() const;

 private:
  struct Node {
    Predicate::Kind kind = Predicate::Kind::kEverything;
    std::vector<Node> parts = {};
    // Of a condition.
    Field field = {};
    std::optional<ConditionCheck> check = std::nullopt;
    bool is_of_origin = false;
    // The last origin looked at and its verdict, if is_of_origin: neighbours share their origin. Held, so that no new
    // one takes its address.
    std::shared_ptr<const SpanOrigin> last_origin = nullptr;
    bool last_verdict = false;
  };

  static Node Compile(const Predicate& predicate);
  static bool NeedsTrace(const Node& node);
  [[nodiscard]] bool Holds(Node& node, TraceReading& trace, size_t ordinal);
  [[nodiscard]] bool HoldsForOrigin(Node& node, TraceReading& trace, size_t ordinal);
  [[nodiscard]] bool HoldsForSpan(const Node& node, TraceReading& trace, size_t ordinal);

  Node root_;
  TextArena texts_;  // of one condition
};

}  // namespace spanloom::store::scan
