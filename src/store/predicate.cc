// SPDX-License-Identifier: Apache-2.0

#include "store/predicate.h"

#include <re2/re2.h>

#include "base/text.h"

namespace spanloom::store {
namespace {

Status ValidatePattern(const std::string& pattern) {
  const re2::RE2 expression(pattern, re2::RE2::Quiet);
  if (expression.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("not a regular expression: ", expression.error()));
}

bool IsOrdered(ValueKind kind) {
  return kind == ValueKind::kInt || kind == ValueKind::kDouble || kind == ValueKind::kString ||
         kind == ValueKind::kBytes;
}

Status Requires(bool is_met, std::string_view what) {
  return is_met ? absl::OkStatus() : absl::InvalidArgumentError(StrCat("the operand must be ", what));
}

// Counts the conditions of a tree, and validates them.
class Validation {
 public:
  Status Visit(const Predicate& predicate, size_t depth) {
    if (depth > Predicate::kDepthMax) {
      return absl::InvalidArgumentError(StrCat("conditions are nested more than ", Predicate::kDepthMax, " deep"));
    }
    // Empty lists count too: a predicate is no larger than what is counted.
    if (++nodes_ > 2 * Predicate::kConditionsMax) return TooMany();
    if (predicate.kind() == Predicate::Kind::kCondition) return VisitCondition(predicate.condition());
    for (const Predicate& part : predicate.parts()) RETURN_IF_ERROR(Visit(part, depth + 1));
    return absl::OkStatus();
  }

 private:
  Status VisitCondition(const Condition& condition) {
    if (++conditions_ > Predicate::kConditionsMax) return TooMany();
    return condition.Validate();
  }

  static Status TooMany() {
    return absl::InvalidArgumentError(StrCat("more than ", Predicate::kConditionsMax, " conditions"));
  }

  size_t nodes_ = 0;
  size_t conditions_ = 0;
};

std::string Joined(const std::vector<Predicate>& parts, std::string_view word) {
  std::string text = "(";
  for (const Predicate& part : parts) StrAppend(text, text.size() > 1 ? word : "", part.ToString());
  return text + ")";
}

}  // namespace

std::string_view ComparisonText(Comparison comparison) {
  switch (comparison) {
    case Comparison::kEqual:
      return "=";
    case Comparison::kNotEqual:
      return "!=";
    case Comparison::kLess:
      return "<";
    case Comparison::kLessOrEqual:
      return "<=";
    case Comparison::kGreater:
      return ">";
    case Comparison::kGreaterOrEqual:
      return ">=";
    case Comparison::kMatches:
      return "=~";
    case Comparison::kNotMatches:
      return "!~";
    case Comparison::kHasText:
      return "has text";
    case Comparison::kExists:
      return "exists";
    case Comparison::kIsAbsent:
      return "is absent";
  }
  return "?";
}

Status ValidateOperand(Comparison comparison, const Value& operand) {
  const ValueKind kind = operand.kind();
  switch (comparison) {
    case Comparison::kEqual:
    case Comparison::kNotEqual:
      return Requires(IsOrdered(kind) || kind == ValueKind::kBool, "a number, bool, string or bytes");
    case Comparison::kLess:
    case Comparison::kLessOrEqual:
    case Comparison::kGreater:
    case Comparison::kGreaterOrEqual:
      return Requires(IsOrdered(kind), "a number, string or bytes");
    case Comparison::kMatches:
    case Comparison::kNotMatches:
      RETURN_IF_ERROR(Requires(kind == ValueKind::kString, "a string"));
      return ValidatePattern(operand.ToText());
    case Comparison::kHasText:
      return Requires(kind == ValueKind::kString, "a string");
    case Comparison::kExists:
    case Comparison::kIsAbsent:
      return Requires(kind == ValueKind::kNone, "left out");
  }
  return absl::InvalidArgumentError("not a comparison");
}

Status Condition::Validate() const {
  return Annotate(ValidateOperand(comparison, operand), ToString());
}

std::string Condition::ToString() const {
  std::string text = StrCat(field.ToString(), " ", ComparisonText(comparison));
  if (operand.kind() != ValueKind::kNone) StrAppend(text, " \"", operand.ToText(), "\"");
  return text;
}

Predicate Predicate::Not(Predicate part) {
  std::vector<Predicate> parts;
  parts.push_back(std::move(part));
  return Predicate(Kind::kNot, std::move(parts));
}

Status Predicate::Validate() const {
  return Validation().Visit(*this, 1);
}

std::string Predicate::ToString() const {
  switch (kind_) {
    case Kind::kEverything:
      return "everything";
    case Kind::kCondition:
      return condition_.ToString();
    case Kind::kAll:
      return Joined(parts_, " and ");
    case Kind::kAny:
      return Joined(parts_, " or ");
    case Kind::kNot:
      return StrCat("not ", parts_.front().ToString());
  }
  return "?";
}

}  // namespace spanloom::store
