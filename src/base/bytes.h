// SPDX-License-Identifier: Apache-2.0
//
// Immutable bytes with a shared owner. A received request is held once, however many batches, queues and stores refer
// to parts of it; a part keeps the whole alive.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spanloom {

// A view of bytes together with a share in their owner. Thread-safe as an immutable value: copies may be used from any
// thread. shared_ptr, because a request's bytes really do have several owners (store, exporters' queues) on several
// threads.
class Bytes {
 public:
  Bytes() = default;

  // Takes over `content` without a copy.
  explicit Bytes(std::string content) {
    auto owner = std::make_shared<const std::string>(std::move(content));
    view_ = *owner;
    owner_ = std::move(owner);
  }

  // `view` must lie within what `owner` keeps alive.
  Bytes(std::shared_ptr<const void> owner, std::string_view view) : owner_(std::move(owner)), view_(view) {}

  // A copy of `content`, owned by the result alone.
  static Bytes CopyOf(std::string_view content) { return Bytes(std::string(content)); }

  // The part of these bytes that `part` views; `part` must point into view(). Shares the owner.
  [[nodiscard]] Bytes Slice(std::string_view part) const { return Bytes(owner_, part); }

  [[nodiscard]] std::string_view view() const { return view_; }
  [[nodiscard]] const char* data() const { return view_.data(); }
  [[nodiscard]] size_t size() const { return view_.size(); }
  [[nodiscard]] bool empty() const { return view_.empty(); }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace spanloom
