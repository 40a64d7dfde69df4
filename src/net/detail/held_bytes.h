// SPDX-License-Identifier: Apache-2.0
//
// How many bytes of requests a server holds, over all its connections: bodies under way, and requests that wait for
// their answer. What would exceed the limit is refused, so that many large requests at once cost no more than it.

#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/status.h"

namespace spanloom::net {

inline constexpr std::chrono::milliseconds kBudgetRetryDelay{1'000};  // told to those who are refused; guess

// kUnavailable with that delay.
[[nodiscard]] Status BudgetUsedUp();

// Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  // False, and nothing is taken, if that would exceed the limit.
  [[nodiscard]] bool TryTake(size_t bytes) {
    const size_t before = held_.fetch_add(bytes, std::memory_order_relaxed);
    if (bytes <= bytes_max_ && before <= bytes_max_ - bytes) return true;
    Give(bytes);
    return false;
  }
  void Give(size_t bytes) { held_.fetch_sub(bytes, std::memory_order_relaxed); }

  [[nodiscard]] size_t held() const { return held_.load(std::memory_order_relaxed); }
  [[nodiscard]] size_t available() const { return bytes_max_ - std::min(held(), bytes_max_); }

 private:
  const size_t bytes_max_;
  std::atomic<size_t> held_ = 0;
};

// The share of one request; given back when destroyed. Thread-compatible.
class HeldBytes {
 public:
  explicit HeldBytes(std::shared_ptr<ByteBudget> budget) : budget_(std::move(budget)) {}
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() { Release(); }

  // False if the budget has not so much left.
  [[nodiscard]] bool TryAdd(size_t bytes) {
    if (!budget_->TryTake(bytes)) return false;
    bytes_ += bytes;
    return true;
  }
  // Gives back a part of what was added.
  void Sub(size_t bytes) {
    bytes_ -= bytes;
    budget_->Give(bytes);
  }
  void Release() {
    if (bytes_ > 0) budget_->Give(std::exchange(bytes_, 0));
  }

 private:
  std::shared_ptr<ByteBudget> budget_;  // shared: a request may outlive its server
  size_t bytes_ = 0;
};

}  // namespace spanloom::net
