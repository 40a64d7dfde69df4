// SPDX-License-Identifier: Apache-2.0
//
// The objects of one kind as a reflector brings them, reduced to what somebody needs of them.
//
//   auto pods = std::make_shared<Mirror<Pod>>(DecodePod, on_changes);
//   Reflector reflector(client, pods, {.resource = kPods}, on_state);
//   ... pods->Find(uid) ...  // on any thread

#pragma once

#include <absl/container/flat_hash_set.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kube/json.h"
#include "kube/reflector.h"
#include "kube/shared_map.h"

namespace spanloom::kube {

// `T` has operator==. Find and size are thread-safe; the rest is the reflector's.
template <typename T>
class Mirror final : public ReflectorSink {
 public:
  using Object = std::shared_ptr<const T>;  // shared by the mirror and those who found it

  struct Decoded {
    std::string key;  // what identifies it among those of its kind: its UID, or its name
    T object;
  };
  // What is needed of an object; nullopt if it is none. Called on worker threads.
  using Decode = std::function<std::optional<Decoded>(const simdjson::dom::element&)>;

  // An object before and after. Added: without `before`; deleted: without `after`; as it was in all that is needed of
  // it: both are the same.
  struct Difference {
    Object before;
    Object after;
  };
  // Told once the mirror shows the differences; on worker threads, one call at a time. Objects that a list shows as
  // they were are not among them.
  using OnDifferences = std::function<void(std::span<const Difference>)>;

  explicit Mirror(Decode decode, OnDifferences on_differences = {})
      : decode_(std::move(decode)), on_differences_(std::move(on_differences)) {}

  // nullptr if there is none.
  [[nodiscard]] Object Find(std::string_view key) const { return objects_.Find(key).value_or(nullptr); }
  [[nodiscard]] size_t size() const { return objects_.size(); }

  void BeginList() override { listed_.clear(); }

  void AddListed(std::span<const simdjson::dom::element> objects) override;

  void EndList() override {
    std::vector<typename SharedMap<Object>::Edit> edits;
    std::vector<Difference> differences;
    objects_.ForEach([&](const std::string& key, const Object& object) {
      if (listed_.contains(key)) return;
      edits.emplace_back(key, std::nullopt);
      differences.push_back({.before = object, .after = nullptr});
    });
    listed_ = {};
    Show(std::move(edits), differences);
  }

  void Apply(Change change, const simdjson::dom::element& object) override {
    std::optional<Decoded> decoded = decode_(object);
    if (!decoded) return;
    Object before = Find(decoded->key);
    std::vector<typename SharedMap<Object>::Edit> edits;
    Difference difference = {.before = before, .after = nullptr};
    if (change != Change::kDeleted) {
      difference.after = AfterOf(before, std::move(decoded->object));
    } else if (before == nullptr) {
      return;
    }
    if (difference.after == nullptr) {
      edits.emplace_back(std::move(decoded->key), std::nullopt);
    } else if (difference.after != before) {
      edits.emplace_back(std::move(decoded->key), difference.after);
    }
    Show(std::move(edits), {&difference, 1});
  }

 private:
  static Object AfterOf(const Object& before, T object) {
    if (before != nullptr && *before == object) return before;
    return std::make_shared<const T>(std::move(object));
  }

  void Show(std::vector<typename SharedMap<Object>::Edit> edits, std::span<const Difference> differences) {
    objects_.Apply(std::move(edits));
    if (on_differences_ && !differences.empty()) on_differences_(differences);
  }

  const Decode decode_;
  const OnDifferences on_differences_;
  SharedMap<Object> objects_;
  absl::flat_hash_set<std::string> listed_;  // keys of the list under way
};

template <typename T>
void Mirror<T>::AddListed(std::span<const simdjson::dom::element> objects) {
  std::vector<typename SharedMap<Object>::Edit> edits;
  std::vector<Difference> differences;
  for (const simdjson::dom::element& object : objects) {
    std::optional<Decoded> decoded = decode_(object);
    if (!decoded) continue;
    listed_.insert(decoded->key);
    Object before = Find(decoded->key);
    Object after = AfterOf(before, std::move(decoded->object));
    if (after == before) continue;
    edits.emplace_back(std::move(decoded->key), after);
    differences.push_back({.before = std::move(before), .after = std::move(after)});
  }
  Show(std::move(edits), differences);
}

}  // namespace spanloom::kube
