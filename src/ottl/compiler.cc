// SPDX-License-Identifier: Apache-2.0

#include "ottl/compiler.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/text.h"
#include "otlp/trace_state.h"
#include "ottl/argument_check.h"
#include "ottl/arithmetic.h"
#include "ottl/function_table.h"
#include "ottl/letter_case.h"
#include "ottl/lexer.h"
#include "ottl/paths.h"

namespace spanloom::ottl {
namespace {

class ConstantGetter final : public Getter {
 public:
  explicit ConstantGetter(const Value& value) : value_(value) {}
  Value Get(Evaluation&) const override { return value_; }
  [[nodiscard]] const Value* constant() const override { return &value_; }
  [[nodiscard]] bool can_fail() const override { return false; }

 private:
  Value value_;
};

class FieldGetter final : public Getter {
 public:
  explicit FieldGetter(FieldReader read) : read_(read) {}
  Value Get(Evaluation& e) const override { return read_(e); }
  [[nodiscard]] FieldReader field() const override { return read_; }
  [[nodiscard]] bool can_fail() const override { return false; }

 private:
  FieldReader read_;
};

class SlotGetter final : public Getter {
 public:
  explicit SlotGetter(size_t slot) : slot_(slot) {}
  Value Get(Evaluation& e) const override { return e.slots()[slot_]; }
  [[nodiscard]] std::optional<size_t> slot() const override { return slot_; }
  [[nodiscard]] bool can_fail() const override { return false; }

 private:
  size_t slot_;
};

class AttributeGetter final : public Getter {
 public:
  AttributeGetter(AttributeSource source, std::string_view key) : source_(source), key_(key) {}
  Value Get(Evaluation& e) const override { return ReadAttribute(e.scene(), source_, key_); }
  [[nodiscard]] bool can_fail() const override { return false; }

 private:
  AttributeSource source_;
  std::string key_;
};

class AttributesGetter final : public Getter {
 public:
  explicit AttributesGetter(AttributeSource source) : source_(source) {}
  Value Get(Evaluation& e) const override { return ReadAttributes(e, source_); }

 private:
  AttributeSource source_;
};

class CacheGetter final : public Getter {
 public:
  Value Get(Evaluation& e) const override { return e.cache(); }
};

class TraceStateGetter final : public Getter {
 public:
  explicit TraceStateGetter(GetterPtr key) : key_(std::move(key)) {}
  Value Get(Evaluation& e) const override {
    const Value key = key_->Get(e);
    if (e.failed()) return {};
    if (!key.is(Value::Kind::kString)) return e.Fail("an entry of the trace state is named by a string");
    const auto state = otlp::TraceState::Parse(e.scene().span().trace_state());
    return state ? Value::String(state->Find(key.text()).value_or("")) : Value();
  }

 private:
  GetterPtr key_;
};

class KeyGetter final : public Getter {
 public:
  KeyGetter(GetterPtr value, GetterPtr key, bool is_strict)
      : value_(std::move(value)), key_(std::move(key)), is_strict_(is_strict) {}
  Value Get(Evaluation& e) const override {
    const Value value = value_->Get(e);
    if (e.failed()) return {};
    const Value key = key_->Get(e);
    if (e.failed()) return {};
    return is_strict_ ? ReadKeyStrictly(e, value, key) : ReadKey(e, value, key);
  }

 private:
  GetterPtr value_;
  GetterPtr key_;
  bool is_strict_;
};

class ListGetter final : public Getter {
 public:
  explicit ListGetter(std::vector<GetterPtr> elements) : elements_(std::move(elements)) {}
  Value Get(Evaluation& e) const override {
    std::vector<Value> values;
    for (const GetterPtr& element : elements_) {
      values.push_back(element->Get(e));
      if (e.failed()) return {};
    }
    return e.NewList(values);
  }
  [[nodiscard]] std::span<const GetterPtr> elements() const override { return elements_; }

 private:
  std::vector<GetterPtr> elements_;
};

// A key that stands twice has its last value.
void SetEntry(std::vector<Entry>& entries, const Entry& entry) {
  const auto earlier = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.key == entry.key; });
  if (earlier == entries.end()) {
    entries.push_back(entry);
  } else {
    *earlier = entry;
  }
}

class MapGetter final : public Getter {
 public:
  MapGetter(std::vector<std::string> keys, std::vector<GetterPtr> values)
      : keys_(std::move(keys)), values_(std::move(values)) {}
  Value Get(Evaluation& e) const override {
    std::vector<Entry> entries;
    for (size_t i = 0; i < values_.size(); ++i) {
      const Value value = values_[i]->Get(e);
      if (e.failed()) return {};
      if (!CanBeAttributeThroughout(value)) return e.Fail(StrCat("<Invalid value type ", value.type_name(), ">"));
      SetEntry(entries, {keys_[i], value});
    }
    return e.NewMap(entries);
  }

 private:
  std::vector<std::string> keys_;
  std::vector<GetterPtr> values_;
};

class ArithmeticGetter final : public Getter {
 public:
  ArithmeticGetter(GetterPtr left, char op, GetterPtr right)
      : left_(std::move(left)), right_(std::move(right)), op_(op) {}
  Value Get(Evaluation& e) const override {
    const Value left = left_->Get(e);
    if (e.failed()) return {};
    const Value right = right_->Get(e);
    return e.failed() ? Value() : Calculate(e, left, op_, right);
  }

 private:
  GetterPtr left_;
  GetterPtr right_;
  char op_;
};

class NegationGetter final : public Getter {
 public:
  explicit NegationGetter(GetterPtr value) : value_(std::move(value)) {}
  Value Get(Evaluation& e) const override {
    const Value value = value_->Get(e);
    return e.failed() ? Value() : Negate(e, value);
  }

 private:
  GetterPtr value_;
};

class CallGetter final : public Getter {
 public:
  explicit CallGetter(Call call) : call_(std::move(call)) {}
  Value Get(Evaluation& e) const override { return call_.Run(e); }

 private:
  Call call_;
};

bool IsConstant(const GetterPtr& getter) {
  return getter->constant() != nullptr;
}

bool AreConstant(const std::vector<GetterPtr>& getters) {
  return std::all_of(getters.begin(), getters.end(), IsConstant);
}

size_t ParameterCount(const Function& function) {
  size_t count = 0;
  while (count < kParametersMax && !function.parameters[count].name.empty()) ++count;
  return count;
}

StatusOr<const Function*> Known(const Function* function, Context context, const Operand& call) {
  if (function != nullptr && (!function->is_of_spans || context == Context::kSpan)) return function;
  return absl::InvalidArgumentError(StrCat("undefined function ", Quoted(call.name)));
}

ConditionNode LiteralCondition(bool constant) {
  return {.constant = constant, .is_literal = true};
}

ComparisonOperator Mirrored(ComparisonOperator op) {
  switch (op) {
    case ComparisonOperator::kLess:
      return ComparisonOperator::kGreater;
    case ComparisonOperator::kLessEqual:
      return ComparisonOperator::kGreaterEqual;
    case ComparisonOperator::kGreater:
      return ComparisonOperator::kLess;
    case ComparisonOperator::kGreaterEqual:
      return ComparisonOperator::kLessEqual;
    default:
      return op;
  }
}

Status BadArguments(const Function& function, std::string_view fault) {
  return absl::InvalidArgumentError(
      StrCat("error while parsing arguments for call to ", Quoted(function.name), ": ", fault));
}

// [arguments]: which parameter each is for.
StatusOr<std::vector<size_t>> Placed(const Function& function, const Operand& call) {
  const size_t count = ParameterCount(function);
  size_t required = 0;
  while (required < count && !function.parameters[required].is_optional) ++required;
  const size_t given = call.operands.size();
  if (given < required || given > count) {
    return BadArguments(function, StrCat("incorrect number of arguments. Expected: ", count, " Received: ", given));
  }
  std::vector<size_t> places;
  bool seen_name = false;
  for (size_t i = 0; i < given; ++i) {
    size_t place = i;
    if (call.names[i].empty()) {
      if (seen_name) return BadArguments(function, "unnamed argument used after named argument");
    } else {
      seen_name = true;
      place = 0;
      // Both "headerDelimiter" and "header_delimiter" are understood.
      const std::string name = ToCamelCase(call.names[i]);
      while (place < count && ToCamelCase(function.parameters[place].name) != name) ++place;
      if (place == count) return BadArguments(function, StrCat("no such parameter: ", call.names[i]));
    }
    if (std::find(places.begin(), places.end(), place) != places.end()) {
      return BadArguments(function, StrCat("the argument ", function.parameters[place].name, " is given twice"));
    }
    places.push_back(place);
  }
  for (size_t i = 0; i < required; ++i) {
    if (std::find(places.begin(), places.end(), i) != places.end()) continue;
    return BadArguments(function, StrCat("the argument ", function.parameters[i].name, " is missing"));
  }
  return places;
}

}  // namespace

bool IsTrue(const ConditionNode& node, Evaluation& e) {
  switch (node.kind) {
    case ConditionNode::Kind::kConstant:
      return node.constant;
    case ConditionNode::Kind::kSlotComparison:
      return Compare(e.slots()[node.slot], node.op, node.literal);
    case ConditionNode::Kind::kFieldComparison:
      return Compare(node.field(e), node.op, node.literal);
    case ConditionNode::Kind::kSlotIsOneOf: {
      const Value& value = e.slots()[node.slot];
      return value.is(Value::Kind::kString) && node.strings.Contains(value.text());
    }
    case ConditionNode::Kind::kFieldIsOneOf: {
      const Value value = node.field(e);
      return value.is(Value::Kind::kString) && node.strings.Contains(value.text());
    }
    case ConditionNode::Kind::kComparison: {
      const Value left = node.left->Get(e);
      if (e.failed()) return false;
      const Value right = node.right->Get(e);
      return !e.failed() && Compare(left, node.op, right);
    }
    case ConditionNode::Kind::kCall: {
      const Value value = node.left->Get(e);
      if (!e.failed() && !value.is(Value::Kind::kBool)) e.Fail("value returned from a converter is not a boolean");
      return !e.failed() && value.bool_value();
    }
    case ConditionNode::Kind::kNot:
      return !IsTrue(node.operands.front(), e) && !e.failed();
    case ConditionNode::Kind::kAnd:
      return std::all_of(node.operands.begin(), node.operands.end(),
                         [&e](const ConditionNode& operand) { return IsTrue(operand, e); });
    case ConditionNode::Kind::kOr:
      return std::any_of(node.operands.begin(), node.operands.end(),
                         [&e](const ConditionNode& operand) { return !e.failed() && IsTrue(operand, e); });
  }
  return false;
}

bool JoinLookup(ConditionNode& first, const ConditionNode& second) {
  using Kind = ConditionNode::Kind;
  const auto is_equal_text = [](const ConditionNode& node) {
    const bool is_path = node.kind == Kind::kSlotComparison || node.kind == Kind::kFieldComparison;
    return is_path && node.op == ComparisonOperator::kEqual && node.literal.is(Value::Kind::kString);
  };
  const bool is_slot = second.kind == Kind::kSlotComparison;
  const Kind joined = is_slot ? Kind::kSlotIsOneOf : Kind::kFieldIsOneOf;
  if (!is_equal_text(second) || first.slot != second.slot || first.field != second.field) return false;
  if (first.kind != joined) {
    if (first.kind != second.kind || !is_equal_text(first)) return false;
    first.kind = joined;
    first.strings.Add(first.literal.text(), 0);
  }
  first.strings.Add(second.literal.text(), 0);
  return true;
}

Value Call::Run(Evaluation& e) const {
  Arguments arguments;
  for (size_t i = 0; i < kParametersMax; ++i) {
    if (getters_[i] == nullptr) continue;
    arguments.given |= static_cast<uint8_t>(1U << i);
    if (function_->parameters[i].type == ParameterType::kChoices) {
      arguments.choices = getters_[i]->elements();
      continue;
    }
    const Value value = getters_[i]->Get(e);
    if (e.failed()) return {};
    arguments.values[i] = ConvertArgument(e, function_->parameters[i].type, value);
    if (e.failed()) return {};
  }
  arguments.functions = functions_;
  arguments.target = target_.get();
  arguments.prepared = prepared_.get();
  if (function_->prepare == nullptr || prepared_ != nullptr) return function_->call(e, arguments);
  const auto prepared = function_->prepare(arguments);
  if (!prepared.ok()) return e.Fail(std::string(prepared.status().message()));
  arguments.prepared = prepared->get();
  return function_->call(e, arguments);
}

StatusOr<ConditionNode> Compiler::CompileCondition(const Expression& expression) {
  switch (expression.kind) {
    case Expression::Kind::kConstant:
      return LiteralCondition(expression.constant);
    case Expression::Kind::kComparison:
      return CompileComparison(expression.comparison);
    case Expression::Kind::kCall: {
      ConditionNode node{.kind = ConditionNode::Kind::kCall, .can_fail = true};
      ASSIGN_OR_RETURN(node.left, CompileValue(expression.comparison.left));
      return node;
    }
    case Expression::Kind::kNot: {
      ConditionNode node{.kind = ConditionNode::Kind::kNot};
      ASSIGN_OR_RETURN(ConditionNode operand, CompileCondition(expression.operands.front()));
      if (operand.is_literal) return LiteralCondition(!operand.constant);
      node.can_fail = operand.can_fail;
      node.operands.push_back(std::move(operand));
      return node;
    }
    case Expression::Kind::kAnd:
    case Expression::Kind::kOr:
      break;
  }
  return CompileLogic(expression);
}

// A literal decides, or is left out, even where it stands behind what fails.
StatusOr<ConditionNode> Compiler::CompileLogic(const Expression& expression) {
  const bool is_or = expression.kind == Expression::Kind::kOr;
  ConditionNode node{.kind = is_or ? ConditionNode::Kind::kOr : ConditionNode::Kind::kAnd};
  bool is_decided = false;
  size_t first_joinable = 0;  // of an "or": behind the last operand that can fail
  for (const Expression& operand : expression.operands) {
    ASSIGN_OR_RETURN(ConditionNode compiled, CompileCondition(operand));
    if (compiled.is_literal) {
      is_decided = is_decided || compiled.constant == is_or;
      continue;
    }
    const auto joins = [&compiled](ConditionNode& earlier) { return JoinLookup(earlier, compiled); };
    const auto begin = node.operands.begin() + static_cast<std::ptrdiff_t>(first_joinable);
    if (is_or && std::any_of(begin, node.operands.end(), joins)) continue;
    node.can_fail = node.can_fail || compiled.can_fail;
    const bool ends_joining = compiled.can_fail;
    node.operands.push_back(std::move(compiled));
    if (ends_joining) first_joinable = node.operands.size();
  }
  if (is_decided || node.operands.empty()) return LiteralCondition(is_decided == is_or);
  if (node.operands.size() == 1) return std::move(node.operands.front());
  return node;
}

StatusOr<ConditionNode> Compiler::CompileComparison(const Comparison& comparison) {
  ConditionNode node{.kind = ConditionNode::Kind::kComparison, .op = comparison.op};
  ASSIGN_OR_RETURN(node.left, CompileValue(comparison.left));
  ASSIGN_OR_RETURN(node.right, CompileValue(comparison.right));
  node.can_fail = node.left->can_fail() || node.right->can_fail();
  const Value* left = node.left->constant();
  const Value* right = node.right->constant();
  if (left != nullptr && right != nullptr) {
    const bool are_literals = IsLiteral(comparison.left) && IsLiteral(comparison.right);
    return ConditionNode{.constant = Compare(*left, node.op, *right), .is_literal = are_literals};
  }
  if (left == nullptr && right == nullptr) return node;
  const Getter& path = left == nullptr ? *node.left : *node.right;
  const ComparisonOperator op = left == nullptr ? node.op : Mirrored(node.op);
  const Value& literal = left == nullptr ? *right : *left;
  if (const auto slot = path.slot()) {
    return ConditionNode{.kind = ConditionNode::Kind::kSlotComparison, .op = op, .slot = *slot, .literal = literal};
  }
  if (FieldReader field = path.field(); field != nullptr) {
    return ConditionNode{.kind = ConditionNode::Kind::kFieldComparison, .op = op, .field = field, .literal = literal};
  }
  return node;
}

StatusOr<GetterPtr> Compiler::CompileValue(const Operand& operand) {
  switch (operand.kind) {
    case Operand::Kind::kLiteral:
      return Constant(ValueOf(operand.literal, program_.constants()));
    case Operand::Kind::kSymbol: {
      ASSIGN_OR_RETURN(const int64_t number, ResolveEnum(context_, operand.name));
      return Constant(Value::Int(number));
    }
    case Operand::Kind::kPath:
      return CompilePath(operand);
    case Operand::Kind::kCall:
      return CompileConverter(operand);
    default:
      break;
  }
  ASSIGN_OR_RETURN(std::vector<GetterPtr> operands, CompileAll(operand.operands));
  const bool is_constant = AreConstant(operands);
  GetterPtr getter;
  if (operand.kind == Operand::Kind::kList) {
    getter = std::make_unique<ListGetter>(std::move(operands));
  } else if (operand.kind == Operand::Kind::kMap) {
    getter = std::make_unique<MapGetter>(operand.names, std::move(operands));
  } else if (operand.kind == Operand::Kind::kArithmetic) {
    getter = std::make_unique<ArithmeticGetter>(std::move(operands[0]), operand.op, std::move(operands[1]));
  } else {
    getter = std::make_unique<NegationGetter>(std::move(operands[0]));
  }
  return is_constant ? Folded(std::move(getter)) : std::move(getter);
}

StatusOr<std::vector<GetterPtr>> Compiler::CompileAll(const std::vector<Operand>& operands) {
  std::vector<GetterPtr> getters;
  for (const Operand& operand : operands) {
    ASSIGN_OR_RETURN(GetterPtr getter, CompileValue(operand));
    getters.push_back(std::move(getter));
  }
  return getters;
}

GetterPtr Compiler::Constant(const Value& value) {
  return std::make_unique<ConstantGetter>(value);
}

// A constant whose evaluation fails is left as it is: it then fails each time, as it does in the Collector.
GetterPtr Compiler::Folded(GetterPtr getter) {
  const Scene nothing;
  Evaluation evaluation(nothing, Clock::System());
  const Value value = getter->Get(evaluation);
  if (evaluation.failed()) return getter;
  return Constant(CopyInto(value, program_.constants()));
}

StatusOr<GetterPtr> Compiler::WithKeys(GetterPtr value, const std::vector<Operand>& keys, size_t first,
                                       bool is_strict) {
  for (size_t i = first; i < keys.size(); ++i) {
    ASSIGN_OR_RETURN(GetterPtr key, CompileValue(keys[i]));
    const bool is_constant = value->constant() != nullptr && key->constant() != nullptr;
    value = std::make_unique<KeyGetter>(std::move(value), std::move(key), is_strict);
    if (is_constant) value = Folded(std::move(value));
  }
  return value;
}

StatusOr<GetterPtr> Compiler::CompileRoot(const PathRoot& root, size_t& keys_taken) {
  const std::vector<Operand>& keys = *root.keys;
  switch (root.kind) {
    case PathRoot::Kind::kField:
      return std::make_unique<FieldGetter>(root.field->read);
    case PathRoot::Kind::kCache:
      return std::make_unique<CacheGetter>();
    case PathRoot::Kind::kTraceState: {
      if (keys.empty()) return std::make_unique<FieldGetter>(root.field->read);
      ASSIGN_OR_RETURN(GetterPtr key, CompileValue(keys[0]));
      keys_taken = 1;
      return std::make_unique<TraceStateGetter>(std::move(key));
    }
    case PathRoot::Kind::kAttributes:
      break;
  }
  if (keys.empty()) return std::make_unique<AttributesGetter>(root.source);
  ASSIGN_OR_RETURN(const GetterPtr key, CompileValue(keys[0]));
  const Value* constant = key->constant();
  if (constant == nullptr) return std::make_unique<AttributesGetter>(root.source);
  if (!constant->is(Value::Kind::kString)) return std::make_unique<AttributesGetter>(root.source);
  keys_taken = 1;
  if (attributes_ == Attributes::kDirectly) return std::make_unique<AttributeGetter>(root.source, constant->text());
  return std::make_unique<SlotGetter>(program_.SlotOf(root.source, constant->text()));
}

StatusOr<GetterPtr> Compiler::CompilePath(const Operand& path) {
  ASSIGN_OR_RETURN(const PathRoot root, ResolvePath(context_, path));
  size_t keys_taken = 0;
  ASSIGN_OR_RETURN(GetterPtr getter, CompileRoot(root, keys_taken));
  return WithKeys(std::move(getter), *root.keys, keys_taken, false);
}

StatusOr<std::unique_ptr<const Target>> Compiler::CompileTarget(const Operand& path) {
  if (path.kind != Operand::Kind::kPath) return absl::InvalidArgumentError("must be a path");
  ASSIGN_OR_RETURN(const PathRoot root, ResolvePath(context_, path));
  ASSIGN_OR_RETURN(GetterPtr getter, CompilePath(path));
  ASSIGN_OR_RETURN(std::vector<GetterPtr> keys, CompileAll(*root.keys));
  return std::make_unique<const Target>(root, std::move(getter), std::move(keys));
}

StatusOr<GetterPtr> Compiler::CompileConverter(const Operand& call) {
  ASSIGN_OR_RETURN(const Function* const function, Known(FindConverter(call.name), context_, call));
  ASSIGN_OR_RETURN(Call compiled, CompileCall(*function, call));
  const bool is_constant =
      function->is_pure && std::all_of(compiled.getters_.begin(), compiled.getters_.end(),
                                       [](const GetterPtr& g) { return g == nullptr || g->constant() != nullptr; });
  GetterPtr getter = std::make_unique<CallGetter>(std::move(compiled));
  if (is_constant) getter = Folded(std::move(getter));
  return WithKeys(std::move(getter), call.keys, 0, true);
}

StatusOr<Call> Compiler::CompileEditor(const Operand& call) {
  ASSIGN_OR_RETURN(const Function* const function, Known(FindEditor(call.name), context_, call));
  return CompileCall(*function, call);
}

StatusOr<Call> Compiler::CompileCall(const Function& function, const Operand& call) {
  ASSIGN_OR_RETURN(const std::vector<size_t> places, Placed(function, call));
  Call compiled;
  compiled.function_ = &function;
  bool are_literals = true;
  for (size_t i = 0; i < places.size(); ++i) {
    RETURN_IF_ERROR(Annotate(CompileArgument(compiled, places[i], call.operands[i]),
                             StrCat("error while parsing arguments for call to ", Quoted(function.name),
                                    ": invalid argument at position ", i)));
    are_literals = are_literals && ((function.prepared_from >> places[i] & 1) == 0 || IsLiteral(call.operands[i]));
  }
  RETURN_IF_ERROR(Prepare(compiled, are_literals));
  return compiled;
}

Status Compiler::CompileArgument(Call& call, size_t index, const Operand& argument) {
  const Parameter& parameter = call.function_->parameters[index];
  if (parameter.type == ParameterType::kTarget) {
    auto target = CompileTarget(argument);
    if (!target.ok()) return target.status();
    call.target_ = *std::move(target);
    return absl::OkStatus();
  }
  if (parameter.type != ParameterType::kFunction) {
    ASSIGN_OR_RETURN(call.getters_[index], CompileParameter(parameter, argument));
    return absl::OkStatus();
  }
  if (argument.kind != Operand::Kind::kSymbol) return absl::InvalidArgumentError("invalid function name given");
  const Function* function = FindConverter(argument.name);
  if (function == nullptr) return absl::InvalidArgumentError(StrCat("undefined function ", argument.name));
  call.functions_[index] = function;
  return absl::OkStatus();
}

StatusOr<GetterPtr> Compiler::CompileParameter(const Parameter& parameter, const Operand& argument) {
  RETURN_IF_ERROR(CheckSyntax(parameter.type, argument));
  GetterPtr getter;
  const bool is_list =
      ElementTypeOf(parameter.type) != ParameterType::kAny || parameter.type == ParameterType::kChoices;
  bool is_constant = false;
  if (is_list) {
    ASSIGN_OR_RETURN(std::vector<GetterPtr> elements, CompileAll(argument.operands));
    is_constant = parameter.type != ParameterType::kChoices && AreConstant(elements);
    getter = std::make_unique<ListGetter>(std::move(elements));
  } else {
    ASSIGN_OR_RETURN(getter, CompileValue(argument));
  }
  RETURN_IF_ERROR(CheckType(parameter.type, argument, *getter));
  if (parameter.literal_type != ParameterType::kAny) {
    RETURN_IF_ERROR(CheckType(parameter.literal_type, argument, *getter));
  }
  return is_constant ? Folded(std::move(getter)) : std::move(getter);
}

// What is wrong with literals is refused; what is made of them fails in each call.
Status Compiler::Prepare(Call& call, bool are_literals) {
  const Function& function = *call.function_;
  if (function.prepare == nullptr) return absl::OkStatus();
  const Scene nothing;
  Evaluation evaluation(nothing, Clock::System());
  Arguments constants;
  for (size_t i = 0; i < kParametersMax; ++i) {
    if (call.getters_[i] == nullptr) continue;
    constants.given |= static_cast<uint8_t>(1U << i);
    if ((function.prepared_from >> i & 1) == 0) continue;
    const auto elements = call.getters_[i]->elements();
    if (function.parameters[i].type == ParameterType::kChoices) {
      if (!std::all_of(elements.begin(), elements.end(), IsConstant)) return absl::OkStatus();
      constants.values[i] = call.getters_[i]->Get(evaluation);
    } else if (const Value* constant = call.getters_[i]->constant()) {
      constants.values[i] = ConvertArgument(evaluation, function.parameters[i].type, *constant);
    } else {
      return absl::OkStatus();
    }
  }
  auto prepared = evaluation.failed() ? PreparedOr(evaluation.TakeStatus()) : function.prepare(constants);
  if (prepared.ok()) {
    call.prepared_ = *std::move(prepared);
    return absl::OkStatus();
  }
  return are_literals ? Annotate(prepared.status(), "couldn't create function") : absl::OkStatus();
}

}  // namespace spanloom::ottl
