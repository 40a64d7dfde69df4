// SPDX-License-Identifier: Apache-2.0
//
// A comparison with an operand, made ready to be asked many times: the rules of Comparison (value.h) over the values of
// one field.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/value.h"

namespace re2 {
class RE2;
}

namespace spanloom::store::scan {

// Immutable once made; thread-compatible.
class ConditionCheck {
 public:
  // `operand` must have passed ValidateOperand.
  ConditionCheck(Comparison comparison, const Value& operand);
  ConditionCheck(ConditionCheck&&) noexcept;
  ConditionCheck& operator=(ConditionCheck&&) noexcept;
  ~ConditionCheck();

  [[nodiscard]] Comparison comparison() const { return comparison_; }
  // The operand's text, if it has one.
  [[nodiscard]] std::string_view text() const { return operand_.cell().text(); }

  // What a value says, which is not kNone: whether it is of a kind that can be compared with the operand, and whether
  // it is what is asked for (is equal, matches, is less, ...; also where the comparison is a negative one).
  [[nodiscard]] bool IsComparable(ValueKind kind) const;
  [[nodiscard]] bool IsHit(const Cell& cell) const;
  // True if it holds where a hit says that it does not: kNotEqual, kNotMatches.
  [[nodiscard]] bool is_negative() const;
  [[nodiscard]] const Value& operand() const { return operand_; }

  // What the values seen so far say.
  class Verdict {
   public:
    explicit Verdict(const ConditionCheck& check) : check_(check) {}

    // One value more, not kNone. Returns false if no further one can change the verdict.
    bool Add(const Cell& cell);
    [[nodiscard]] bool holds() const;

   private:
    const ConditionCheck& check_;
    bool has_value_ = false;       // any
    bool has_comparable_ = false;  // IsComparable
    bool has_hit_ = false;         // IsHit
  };

 private:
  Comparison comparison_;
  Value operand_;
  std::unique_ptr<const re2::RE2> pattern_;  // of kMatches and kNotMatches
};

}  // namespace spanloom::store::scan
