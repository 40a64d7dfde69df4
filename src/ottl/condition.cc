// SPDX-License-Identifier: Apache-2.0

#include "ottl/condition.h"

#include <absl/container/inlined_vector.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <utility>

#include "ottl/lexer.h"
#include "ottl/operand.h"
#include "ottl/parser.h"

namespace spanloom::ottl {

// Resolves the paths of one text after the other into one set of slots.
class SpanConditionCompiler {
 public:
  Status Add(std::string_view text) {
    auto node = Compile(text);
    if (!node.ok()) return Annotate(node.status(), "unable to parse OTTL condition " + Quoted(text));
    result_.conditions_.push_back(*std::move(node));
    return absl::OkStatus();
  }

  SpanConditions Take() { return std::move(result_); }

 private:
  using Node = SpanConditions::Node;
  using Predicate = SpanConditions::Predicate;

  StatusOr<Node> Compile(std::string_view text) {
    ASSIGN_OR_RETURN(const Expression expression, ParseCondition(text));
    text_ = text;
    return CompileExpression(expression);
  }

  StatusOr<Node> CompileExpression(const Expression& expression) {
    if (expression.kind == Expression::Kind::kComparison) return CompileComparison(expression.comparison);
    Node node;
    node.kind = expression.kind;
    node.constant = expression.constant;
    for (const Expression& operand : expression.operands) {
      ASSIGN_OR_RETURN(Node compiled, CompileExpression(operand));
      node.operands.push_back(std::move(compiled));
    }
    return node;
  }

  StatusOr<Node> CompileComparison(const Comparison& comparison) {
    const bool wants_equal = comparison.op == ComparisonOperator::kEqual;
    ASSIGN_OR_RETURN(const Value left, WithoutEnums(comparison.left));
    ASSIGN_OR_RETURN(const Value right, WithoutEnums(comparison.right));
    const Path* left_path = std::get_if<Path>(&left);
    const Path* right_path = std::get_if<Path>(&right);
    if (left_path != nullptr && right_path != nullptr) return BothArePaths(comparison);
    if (left_path != nullptr) return CompilePredicate(*left_path, std::get<Literal>(right), wants_equal);
    if (right_path != nullptr) return CompilePredicate(*right_path, std::get<Literal>(left), wants_equal);
    Node constant;
    const Operand left_operand = ToOperand(std::get<Literal>(left));
    constant.constant = AreEqual(left_operand, ToOperand(std::get<Literal>(right))) == wants_equal;
    return constant;
  }

  StatusOr<Node> CompilePredicate(const Path& path, Literal literal, bool wants_equal) {
    const auto resolved = ResolveSpanPath(path);
    if (!resolved.ok()) return At(path.offset, resolved.status());
    Node node;
    node.kind = Expression::Kind::kComparison;
    node.predicate = {.path = ReadThrough(*resolved), .literal = std::move(literal), .wants_equal = wants_equal};
    return node;
  }

  // Enums are integers.
  StatusOr<Value> WithoutEnums(const Value& value) {
    const EnumSymbol* symbol = std::get_if<EnumSymbol>(&value);
    if (symbol == nullptr) return value;
    const auto number = ResolveEnum(symbol->name);
    if (!number.ok()) return At(symbol->offset, number.status());
    return Value(Literal(*number));
  }

  std::variant<SpanConditions::SlotIndex, FieldReader> ReadThrough(const SpanPath& path) {
    if (const auto* field = std::get_if<FieldReader>(&path)) return *field;
    const auto& attribute = std::get<AttributePath>(path);
    result_.is_read_[static_cast<size_t>(attribute.source)] = true;
    auto& slots = result_.slots_;
    const auto it = std::find(slots.begin(), slots.end(), attribute);
    const auto index = static_cast<SpanConditions::SlotIndex>(it - slots.begin());
    if (it == slots.end()) slots.push_back(attribute);
    return index;
  }

  [[nodiscard]] Status BothArePaths(const Comparison& comparison) const {
    return At(comparison.offset, absl::InvalidArgumentError(
                                     "comparing two paths is not supported; one side must be a string, a number, true, "
                                     "false, nil or an enum"));
  }

  [[nodiscard]] Status At(size_t offset, const Status& error) const { return Annotate(error, Position(text_, offset)); }

  std::string_view text_;  // that is being compiled
  SpanConditions result_;
};

// Borrows the span's bytes.
class SpanConditions::Values {
 public:
  Values(const SpanConditions& conditions, const otlp::SpanContext& context)
      : conditions_(conditions), values_(conditions.slots_.size()) {
    Read(AttributeSource::kSpan, context.span);
    Read(AttributeSource::kResource, context.resource);
    Read(AttributeSource::kScope, context.scope);
  }

  [[nodiscard]] const Operand& operator[](SlotIndex slot) const { return values_[slot].operand; }

 private:
  struct Found {
    Operand operand;
    bool is_found = false;
  };

  template <typename Owner>
  void Read(AttributeSource source, const Owner& owner) {
    if (!conditions_.is_read_[static_cast<size_t>(source)]) return;
    for (const otlp::AttributeView attribute : owner.attributes()) Take(source, attribute);
  }

  void Take(AttributeSource source, const otlp::AttributeView& attribute) {
    for (SlotIndex i = 0; i < values_.size(); ++i) {
      const AttributePath& slot = conditions_.slots_[i];
      if (slot.source != source || values_[i].is_found || slot.key != attribute.key()) continue;
      values_[i] = {ToOperand(attribute.value()), true};
      return;
    }
  }

  const SpanConditions& conditions_;
  absl::InlinedVector<Found, 8> values_;  // [slots]
};

StatusOr<SpanConditions> SpanConditions::Compile(std::span<const std::string> texts) {
  SpanConditionCompiler compiler;
  for (const std::string& text : texts) RETURN_IF_ERROR(compiler.Add(text));
  return compiler.Take();
}

bool SpanConditions::Match(const otlp::SpanContext& span) const {
  const Values values(*this, span);
  return std::any_of(conditions_.begin(), conditions_.end(),
                     [&](const Node& condition) { return Evaluate(condition, span, values); });
}

bool SpanConditions::Evaluate(const Node& node, const otlp::SpanContext& span, const Values& values) const {
  const auto is_true = [&](const Node& operand) { return Evaluate(operand, span, values); };
  switch (node.kind) {
    case Expression::Kind::kConstant:
      return node.constant;
    case Expression::Kind::kNot:
      return !is_true(node.operands.front());
    case Expression::Kind::kAnd:
      return std::all_of(node.operands.begin(), node.operands.end(), is_true);
    case Expression::Kind::kOr:
      return std::any_of(node.operands.begin(), node.operands.end(), is_true);
    case Expression::Kind::kComparison:
      break;
  }
  const Predicate& predicate = node.predicate;
  const auto* slot = std::get_if<SlotIndex>(&predicate.path);
  const Operand operand = slot != nullptr ? values[*slot] : std::get<FieldReader>(predicate.path)(span);
  return AreEqual(operand, ToOperand(predicate.literal)) == predicate.wants_equal;
}

StatusOr<SpanConditions> CompileSpanCondition(std::string_view text) {
  SpanConditionCompiler compiler;
  RETURN_IF_ERROR(compiler.Add(text));
  return compiler.Take();
}

}  // namespace spanloom::ottl
