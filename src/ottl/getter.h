// SPDX-License-Identifier: Apache-2.0
//
// A compiled expression.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "ottl/evaluation.h"
#include "ottl/value.h"

namespace spanloom::ottl {

// Reads one field of what is looked at. It cannot fail.
using FieldReader = Value (*)(Evaluation&);

// Immutable, so safe to use from any thread.
class Getter {
 public:
  virtual ~Getter() = default;

  // The value now. Fails by Evaluation::Fail.
  virtual Value Get(Evaluation& evaluation) const = 0;

  // What the compiler may know of it, to do better than to call Get.
  [[nodiscard]] virtual const Value* constant() const { return nullptr; }
  [[nodiscard]] virtual std::optional<size_t> slot() const { return std::nullopt; }  // of the program's attributes
  [[nodiscard]] virtual FieldReader field() const { return nullptr; }
  [[nodiscard]] virtual std::span<const std::unique_ptr<const Getter>> elements() const { return {}; }  // of a list
  [[nodiscard]] virtual bool can_fail() const { return true; }
};

using GetterPtr = std::unique_ptr<const Getter>;

}  // namespace spanloom::ottl
