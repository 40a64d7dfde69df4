// SPDX-License-Identifier: Apache-2.0
//
// Environment variables as the OpenTelemetry specification has them read ("Configuration Types"): an empty one is not
// set, and of a number or a truth that can't be read a warning says so and the default counts. A name out of a set is
// stricter here: one that is not known is an error (docs/decisions/0023-what-a-wrong-variable-does.md).

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace spanloom::sdk {

// Names and values, in order.
using TextPairs = std::vector<std::pair<std::string, std::string>>;

// What a variable is set to; nullopt if it is not there.
using LookUpVariable = std::function<std::optional<std::string>(const std::string& name)>;

// That of the process. To be called while no other thread changes it.
std::optional<std::string> LookUpProcessVariable(const std::string& name);

// A value, and the variable that it is of. "" if there is none.
struct Variable {
  std::string name = {};
  std::string value = {};  // without white space around it
  [[nodiscard]] bool is_set() const { return !value.empty(); }
};

struct NumberRange {
  int64_t min = 0;
  int64_t max = 0;
};

// Thread-compatible. Gathers warnings, which name the variable, what is wrong and what counts instead.
class Variables {
 public:
  explicit Variables(LookUpVariable look_up) : look_up_(std::move(look_up)) {}

  // The first of `names` that is set; else that of the last name, empty.
  [[nodiscard]] Variable Text(std::initializer_list<std::string_view> names) const;

  // A whole number in `range`; `otherwise` if none of the names is set, or with a warning if it is another.
  [[nodiscard]] int64_t Number(std::initializer_list<std::string_view> names, int64_t otherwise, NumberRange range);

  // The same in milliseconds. 0 is no limit, and means `range.max`, where `range.min` is not 0.
  [[nodiscard]] std::chrono::milliseconds Milliseconds(std::initializer_list<std::string_view> names, int64_t otherwise,
                                                       NumberRange range);

  // "true" or "false" in any case; what is neither is false, with a warning.
  [[nodiscard]] bool Truth(std::initializer_list<std::string_view> names);

  // The index of the value in `choices`, in any case; that of `otherwise` if it is not set. kInvalidArgument names the
  // variable, the value and the choices.
  [[nodiscard]] StatusOr<size_t> Choice(std::initializer_list<std::string_view> names, size_t otherwise,
                                        const std::vector<std::string_view>& choices) const;

  void Warn(std::string warning) { warnings_.push_back(std::move(warning)); }
  [[nodiscard]] std::vector<std::string>& warnings() { return warnings_; }

 private:
  const LookUpVariable look_up_;
  std::vector<std::string> warnings_;
};

// `variable` is "name=value,name=value", names and values percent-encoded as W3C Baggage has it; of two of one name the
// last counts. kInvalidArgument names the variable and which item is wrong, not what it is: it may be a secret.
StatusOr<TextPairs> ParsePairs(const Variable& variable);

// What undoing the percent-encoding of `text` gives; nullopt if an escape is malformed, or the result is not UTF-8.
std::optional<std::string> StrictPercentDecode(std::string_view text);

}  // namespace spanloom::sdk
