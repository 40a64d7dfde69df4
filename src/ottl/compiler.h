// SPDX-License-Identifier: Apache-2.0
//
// Syntax trees into what can be evaluated: paths, enums and functions are looked up, constants are folded.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "ottl/ast.h"
#include "ottl/function.h"
#include "ottl/getter.h"
#include "ottl/program.h"
#include "ottl/scene.h"
#include "ottl/target.h"
#include "ottl/text_table.h"

namespace spanloom::ottl {

// A compiled condition. Immutable.
struct ConditionNode {
  enum class Kind : uint8_t {
    kConstant,
    kSlotComparison,   // slot op constant
    kFieldComparison,  // field op constant
    kSlotIsOneOf,      // the slot is a string of `strings`
    kFieldIsOneOf,     // the same of the field
    kComparison,       // left op right
    kCall,             // left is true
    kNot,
    kAnd,
    kOr,
  };

  Kind kind = Kind::kConstant;
  bool constant = false;
  bool is_literal = false;  // a constant that stands in the text, and decides without the conditions in front of it
  bool can_fail = false;
  ComparisonOperator op = ComparisonOperator::kEqual;
  size_t slot = 0;
  FieldReader field = nullptr;
  Value literal = {};  // lies in the program's constants
  TextTable strings = {};
  GetterPtr left = nullptr;
  GetterPtr right = nullptr;
  std::vector<ConditionNode> operands = {};
};

// False if the evaluation fails, too. The program's slots are read already.
[[nodiscard]] bool IsTrue(const ConditionNode& condition, Evaluation& evaluation);

// Of two conditions of which one must be true, the first of which cannot fail: makes one of them, which looks the text
// up, if both have the form `path == "text"` for the same path (`first` may be several already). False otherwise.
[[nodiscard]] bool JoinLookup(ConditionNode& first, const ConditionNode& second);

// A call of a function. Immutable.
class Call {
 public:
  // False if the call failed.
  Value Run(Evaluation& evaluation) const;

 private:
  friend class Compiler;

  const Function* function_ = nullptr;
  std::array<GetterPtr, kParametersMax> getters_;  // null where an argument is left out
  std::array<const Function*, kParametersMax> functions_{};
  std::unique_ptr<const Target> target_;
  std::unique_ptr<const Prepared> prepared_;  // null if it is made in each call
};

// Compiles texts of one context, one after the other. All errors are kInvalidArgument.
class Compiler {
 public:
  // Attributes are read through the program's slots, whose values are those at the start of an evaluation, or, where
  // statements change them meanwhile, directly.
  enum class Attributes : uint8_t { kInSlots, kDirectly };

  Compiler(Context context, Attributes attributes, Program& program)
      : context_(context), attributes_(attributes), program_(program) {}

  StatusOr<ConditionNode> CompileCondition(const Expression& expression);
  StatusOr<GetterPtr> CompileValue(const Operand& operand);
  // `call` is of an editor.
  StatusOr<Call> CompileEditor(const Operand& call);

 private:
  StatusOr<ConditionNode> CompileComparison(const Comparison& comparison);
  StatusOr<ConditionNode> CompileLogic(const Expression& expression);
  StatusOr<GetterPtr> CompilePath(const Operand& path);
  StatusOr<GetterPtr> CompileRoot(const PathRoot& root, size_t& keys_taken);
  StatusOr<GetterPtr> CompileConverter(const Operand& call);
  StatusOr<Call> CompileCall(const Function& function, const Operand& call);
  Status CompileArgument(Call& call, size_t index, const Operand& argument);
  StatusOr<GetterPtr> CompileParameter(const Parameter& parameter, const Operand& argument);
  Status Prepare(Call& call, bool are_literals);
  StatusOr<std::unique_ptr<const Target>> CompileTarget(const Operand& path);
  StatusOr<std::vector<GetterPtr>> CompileAll(const std::vector<Operand>& operands);
  // `is_strict`: a key that a map has not fails, as behind calls; behind paths it is nil.
  StatusOr<GetterPtr> WithKeys(GetterPtr value, const std::vector<Operand>& keys, size_t first, bool is_strict);
  GetterPtr Constant(const Value& value);
  GetterPtr Folded(GetterPtr getter);

  Context context_;
  Attributes attributes_;
  Program& program_;
};

}  // namespace spanloom::ottl
