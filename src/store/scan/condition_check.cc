// SPDX-License-Identifier: Apache-2.0

#include "store/scan/condition_check.h"

#include <re2/re2.h>

#include "base/check.h"

namespace spanloom::store::scan {

ConditionCheck::ConditionCheck(Comparison comparison, const Value& operand)
    : comparison_(comparison), operand_(operand) {
  if (comparison != Comparison::kMatches && comparison != Comparison::kNotMatches) return;
  pattern_ = std::make_unique<const re2::RE2>(operand.ToText(), re2::RE2::Quiet);
  CHECK(pattern_->ok());
}

ConditionCheck::ConditionCheck(ConditionCheck&&) noexcept = default;
ConditionCheck& ConditionCheck::operator=(ConditionCheck&&) noexcept = default;
ConditionCheck::~ConditionCheck() = default;

bool ConditionCheck::is_negative() const {
  return comparison_ == Comparison::kNotEqual || comparison_ == Comparison::kNotMatches;
}

bool ConditionCheck::IsComparable(ValueKind kind) const {
  return pattern_ != nullptr ? kind == ValueKind::kString : AreComparable(kind, operand_.kind());
}

bool ConditionCheck::IsHit(const Cell& cell) const {
  switch (comparison_) {
    case Comparison::kEqual:
    case Comparison::kNotEqual:
      return Compare(cell, operand_.cell()) == std::partial_ordering::equivalent;
    case Comparison::kLess:
      return Compare(cell, operand_.cell()) == std::partial_ordering::less;
    case Comparison::kLessOrEqual:
      return Compare(cell, operand_.cell()) <= 0;
    case Comparison::kGreater:
      return Compare(cell, operand_.cell()) == std::partial_ordering::greater;
    case Comparison::kGreaterOrEqual:
      return Compare(cell, operand_.cell()) >= 0;
    case Comparison::kMatches:
    case Comparison::kNotMatches:
      return cell.kind() == ValueKind::kString &&
             re2::RE2::FullMatch(re2::StringPiece(cell.text().data(), cell.text().size()), *pattern_);
    case Comparison::kHasText:
      return cell.kind() == ValueKind::kString ? cell.text() == text() : cell.ToText() == text();
    case Comparison::kExists:
    case Comparison::kIsAbsent:
      return true;
  }
  return false;
}

bool ConditionCheck::Verdict::Add(const Cell& cell) {
  has_value_ = true;
  has_comparable_ = has_comparable_ || check_.IsComparable(cell.kind());
  has_hit_ = has_hit_ || check_.IsHit(cell);
  return !has_hit_;
}

bool ConditionCheck::Verdict::holds() const {
  if (check_.comparison_ == Comparison::kIsAbsent) return !has_value_;
  return check_.is_negative() ? has_comparable_ && !has_hit_ : has_hit_;
}

}  // namespace spanloom::store::scan
