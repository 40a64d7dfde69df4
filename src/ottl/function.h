// SPDX-License-Identifier: Apache-2.0
//
// What a converter or editor is: a name, parameters with types, and a C++ function. They stand in tables, a file a
// family (converters/, editors/), which function_table.h brings together.

#pragma once

#include <absl/container/inlined_vector.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "ottl/evaluation.h"
#include "ottl/value.h"

namespace spanloom::ottl {

class Getter;
class Target;
struct Function;

// What a parameter takes. Whatever is of another kind fails the call; where the text has a literal, it is refused at
// start.
enum class ParameterType : uint8_t {
  kAny,
  kString,
  kStringLike,  // becomes a string (LikeString in text_format.h); nil stays nil
  kInt,
  kIntLike,  // becomes an integer: numbers, booleans and strings do; nil and strings that are no number are nil
  kDouble,
  kDoubleLike,  // becomes a double: integers, booleans and strings do; nil stays nil
  kBool,
  kBoolLike,   // becomes a boolean: numbers and strings as Go's strconv.ParseBool do; nil stays nil
  kBytesLike,  // becomes bytes: strings, numbers and booleans do; nil stays nil
  kList,
  kMap,
  kTime,
  kDuration,
  // A list in the text, [a, b], each of whose elements is a parameter of its own.
  kAnys,
  kStrings,
  kStringLikes,
  kChoices,  // as kAnys, but not evaluated: Arguments::choices
  // A literal in the text.
  kStringLiteral,
  kIntLiteral,
  kBoolLiteral,
  kStringLiterals,  // a list of them
  kFunction,        // the name of a converter, not called
  kTarget,          // a path that can be changed; of editors
};

struct Parameter {
  std::string_view name = {};
  ParameterType type = ParameterType::kAny;
  bool is_optional = false;  // optional ones stand behind all others; left out, they are nil
  // What a literal has to be where the function itself takes more.
  ParameterType literal_type = ParameterType::kAny;
};

// What a function makes of its arguments once and uses in every call: a compiled pattern, a table.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

inline constexpr size_t kParametersMax = 6;

// What a function is called with.
class Arguments {
 public:
  const Value& operator[](size_t index) const { return values[index]; }
  [[nodiscard]] bool has(size_t index) const { return !values[index].is_nil(); }
  // True if the text has it, whatever its value.
  [[nodiscard]] bool is_given(size_t index) const { return (given >> index & 1) != 0; }
  // What Function::prepare made, which is a `T`.
  template <typename T>
  [[nodiscard]] const T& as() const {
    return static_cast<const T&>(*prepared);
  }

  std::array<Value, kParametersMax> values;                 // by parameter
  std::array<const Function*, kParametersMax> functions{};  // of kFunction; null if left out
  std::span<const std::unique_ptr<const Getter>> choices;   // of kChoices
  const Target* target = nullptr;                           // of an editor
  uint8_t given = 0;                                        // bit n: parameter n
  const Prepared* prepared = nullptr;
};

using PreparedOr = StatusOr<std::unique_ptr<const Prepared>>;

struct Function {
  std::string_view name;
  std::array<Parameter, kParametersMax> parameters = {};  // those without a name are none
  // Called with values of the right types. Fails by Evaluation::Fail.
  Value (*call)(Evaluation&, const Arguments&) = nullptr;
  // Called once, at compile time, if the parameters in `prepared_from` are constants (an error then refuses the text);
  // else before each call (an error then fails it).
  PreparedOr (*prepare)(const Arguments&) = nullptr;
  uint8_t prepared_from = 0;  // bit n: parameter n
  bool is_pure = true;        // same arguments, same value
  bool is_of_spans = false;   // there is none in other contexts than the span's
};

// The type of one element of a list; kAny if `type` is no list in the text.
[[nodiscard]] ParameterType ElementTypeOf(ParameterType type);

// The value as `parameter` wants it; fails otherwise.
[[nodiscard]] Value ConvertArgument(Evaluation& evaluation, ParameterType type, const Value& value);

// Calls a converter that was given by name alone (kFunction). Fails unless it has one parameter, required or not.
[[nodiscard]] Value CallByName(Evaluation& evaluation, const Function& function, const Value& argument);

}  // namespace spanloom::ottl
