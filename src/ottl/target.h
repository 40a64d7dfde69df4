// SPDX-License-Identifier: Apache-2.0
//
// A path that an editor changes.

#pragma once

#include <absl/functional/function_ref.h>

#include <string_view>
#include <vector>

#include "ottl/evaluation.h"
#include "ottl/getter.h"
#include "ottl/paths.h"

namespace spanloom::ottl {

// Immutable. The scene of the evaluation can be edited; each call edits it at most once, at its end, so that values
// read before are good until then.
class Target {
 public:
  // `getter` reads the whole path, `keys` are those behind its root.
  Target(const PathRoot& root, GetterPtr getter, std::vector<GetterPtr> keys)
      : root_(root), getter_(std::move(getter)), keys_(std::move(keys)) {}

  [[nodiscard]] Value Get(Evaluation& e) const { return getter_->Get(e); }
  // Fails if the path does not take such a value.
  void Set(Evaluation& e, const Value& value) const;

  // Of a path that is a map. Each fails if it is none.
  [[nodiscard]] std::vector<Entry> GetEntries(Evaluation& e) const;
  void SetEntries(Evaluation& e, const std::vector<Entry>& entries) const { Set(e, e.NewMap(entries)); }
  // Leaves out the entries for which `keeps` is false; the others stay as they are.
  void KeepEntries(Evaluation& e, absl::FunctionRef<bool(const Entry&)> keeps) const;

 private:
  void SetAttribute(Evaluation& e, const std::vector<Value>& keys, const Value& value) const;
  void SetAttributes(Evaluation& e, const Value& map) const;

  PathRoot root_;
  GetterPtr getter_;
  std::vector<GetterPtr> keys_;
};

// What is at `key` of a list or map: nil if a map has no such key or `value` is missing itself. Fails beyond the
// end of a list, and where `value` is neither.
[[nodiscard]] Value ReadKey(Evaluation& e, const Value& value, const Value& key);
// The same, but nil and keys that a map has not fail, too.
[[nodiscard]] Value ReadKeyStrictly(Evaluation& e, const Value& value, const Value& key);

}  // namespace spanloom::ottl
