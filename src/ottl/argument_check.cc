// SPDX-License-Identifier: Apache-2.0

#include "ottl/argument_check.h"

#include <algorithm>
#include <string>

#include "base/clock.h"
#include "base/text.h"

namespace spanloom::ottl {
namespace {

template <typename T>
Status CheckLiteral(const Operand& operand, std::string_view what) {
  // A number with a sign is a sum to the Collector.
  const bool is_literal =
      operand.kind == Operand::Kind::kLiteral && operand.op == 0 && std::holds_alternative<T>(operand.literal);
  return is_literal ? absl::OkStatus() : absl::InvalidArgumentError(StrCat("must be ", what));
}

Status CheckList(const Operand& operand, std::string_view element) {
  if (operand.kind == Operand::Kind::kList) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("must be a list of type ", element));
}

Status CheckStringList(const Operand& operand) {
  RETURN_IF_ERROR(CheckList(operand, "string"));
  for (size_t i = 0; i < operand.operands.size(); ++i) {
    RETURN_IF_ERROR(Annotate(CheckLiteral<std::string>(operand.operands[i], "a string"),
                             StrCat("error while parsing list argument at index ", i)));
  }
  return absl::OkStatus();
}

}  // namespace

bool IsLiteral(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kLiteral:
    case Operand::Kind::kSymbol:
      return true;
    case Operand::Kind::kList:
    case Operand::Kind::kMap:
      return std::all_of(operand.operands.begin(), operand.operands.end(), IsLiteral);
    default:
      return false;
  }
}

Status CheckSyntax(ParameterType type, const Operand& operand) {
  switch (type) {
    case ParameterType::kStringLiteral:
      return CheckLiteral<std::string>(operand, "a string");
    case ParameterType::kIntLiteral:
      return CheckLiteral<int64_t>(operand, "an int");
    case ParameterType::kBoolLiteral:
      return CheckLiteral<bool>(operand, "a bool");
    case ParameterType::kStringLiterals:
      return CheckStringList(operand);
    case ParameterType::kStrings:
      return CheckList(operand, "StringGetter");
    case ParameterType::kStringLikes:
      return CheckList(operand, "StringLikeGetter");
    case ParameterType::kAnys:
    case ParameterType::kChoices:
      return CheckList(operand, "Getter");
    default:
      return absl::OkStatus();
  }
}

Status CheckType(ParameterType type, const Operand& operand, const Getter& getter) {
  if (const auto element_type = ElementTypeOf(type); element_type != ParameterType::kAny) {
    const auto elements = getter.elements();
    for (size_t i = 0; i < elements.size(); ++i) {
      RETURN_IF_ERROR(Annotate(CheckType(element_type, operand.operands[i], *elements[i]),
                               StrCat("error while parsing list argument at index ", i)));
    }
    return absl::OkStatus();
  }
  if (!IsLiteral(operand) || getter.constant() == nullptr) return absl::OkStatus();
  const Scene nothing;
  Evaluation evaluation(nothing, Clock::System());
  static_cast<void>(ConvertArgument(evaluation, type, *getter.constant()));
  return evaluation.TakeStatus();
}

}  // namespace spanloom::ottl
