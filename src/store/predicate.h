// SPDX-License-Identifier: Apache-2.0
//
// Which spans: a tree of conditions. What it means for one span is defined once, in scan/predicate_matcher.h; stores
// with columns or a database of their own are tested against that.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "store/field.h"
#include "store/value.h"

namespace spanloom::store {

struct Condition {
  Field field;
  Comparison comparison = Comparison::kEqual;
  Value operand = {};  // kNone for kExists and kIsAbsent

  // kInvalidArgument, naming the condition: an operand that the comparison can't take, or a regular expression that RE2
  // refuses.
  [[nodiscard]] Status Validate() const;
  // "span.a = 1": for messages.
  [[nodiscard]] std::string ToString() const;

  friend bool operator==(const Condition&, const Condition&) = default;
};

// "=", "=~", "exists": for messages.
[[nodiscard]] std::string_view ComparisonText(Comparison comparison);
// kInvalidArgument if the comparison can't take the operand, or RE2 refuses it.
[[nodiscard]] Status ValidateOperand(Comparison comparison, const Value& operand);

// A value. What a query language can say beyond it (arithmetic, one field against another) is left out of the predicate
// by whoever translates, so that it selects more rather than less, and evaluated on the answer.
class Predicate {
 public:
  enum class Kind : uint8_t { kEverything, kCondition, kAll, kAny, kNot };

  // Holds for every span.
  Predicate() = default;
  explicit Predicate(Condition condition) : kind_(Kind::kCondition), condition_(std::move(condition)) {}
  static Predicate All(std::vector<Predicate> parts) { return Predicate(Kind::kAll, std::move(parts)); }
  static Predicate Any(std::vector<Predicate> parts) { return Predicate(Kind::kAny, std::move(parts)); }
  static Predicate Not(Predicate part);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] const Condition& condition() const { return condition_; }       // of kCondition
  [[nodiscard]] const std::vector<Predicate>& parts() const { return parts_; }  // of kAll, kAny; one of kNot
  // All() holds everything, Any() of nothing holds nothing.

  // kInvalidArgument: Condition::Validate, more than kConditionsMax conditions, or a tree deeper than kDepthMax.
  [[nodiscard]] Status Validate() const;
  // "(a = 1 and not b exists)": for messages.
  [[nodiscard]] std::string ToString() const;

  static constexpr size_t kConditionsMax = 256;  // guess
  static constexpr size_t kDepthMax = 32;        // guess

 private:
  Predicate(Kind kind, std::vector<Predicate> parts) : kind_(kind), parts_(std::move(parts)) {}

  Kind kind_ = Kind::kEverything;
  Condition condition_;
  std::vector<Predicate> parts_;
};

}  // namespace spanloom::store
