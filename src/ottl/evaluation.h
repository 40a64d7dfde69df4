// SPDX-License-Identifier: Apache-2.0
//
// One evaluation of compiled conditions or statements: what they look at, what they have made so far, and whether they
// have failed.

#pragma once

#include <absl/container/inlined_vector.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "ottl/arena.h"
#include "ottl/scene.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// Thread-compatible; on the stack of who evaluates. The first error sticks: whoever has failed returns any value, and
// whoever goes on asks failed() before anything is done with it.
class Evaluation {
 public:
  Evaluation(const Scene& scene, const Clock& clock) : scene_(scene), clock_(clock) {}
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  [[nodiscard]] const Scene& scene() const { return scene_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Arena& arena() { return arena_; }

  [[nodiscard]] bool failed() const { return has_failed_; }
  Value Fail(std::string message) {
    if (!has_failed_) error_ = std::move(message);
    has_failed_ = true;
    return {};
  }
  // OK, or kInvalidArgument with what failed; the evaluation may then go on with something else.
  Status TakeStatus() {
    if (!has_failed_) return absl::OkStatus();
    has_failed_ = false;
    return absl::InvalidArgumentError(std::exchange(error_, {}));
  }

  // A string, list or map that lives as long as the evaluation.
  Value NewString(std::string_view text) { return Value::String(arena_.Copy(text)); }
  Value NewList(const std::vector<Value>& elements) { return Value::List(arena_.Copy(elements)); }
  Value NewMap(const std::vector<Entry>& entries) { return Value::Map(arena_.Copy(entries)); }

  // The attributes that the conditions name, by slot: see Program.
  using Slots = absl::InlinedVector<Value, 8>;
  [[nodiscard]] Slots& slots() { return slots_; }

  // What statements remember from one to the next: the path `cache`.
  [[nodiscard]] const Value& cache() const { return cache_; }
  void SetCache(const Value& map) { cache_ = CopyInto(map, arena_); }

 private:
  const Scene& scene_;
  const Clock& clock_;
  Arena arena_;
  Slots slots_;
  Value cache_ = Value::Map({});
  std::string error_;
  bool has_failed_ = false;
};

}  // namespace spanloom::ottl
