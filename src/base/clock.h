// SPDX-License-Identifier: Apache-2.0
//
// Time as a parameter: everything that asks for the time is given a Clock, so that tests decide what time it is.

#pragma once

#include <atomic>
#include <cstdint>

namespace spanloom {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Nanoseconds since 1970-01-01T00:00:00Z; may jump, as wall clocks do.
  [[nodiscard]] virtual int64_t UnixNs() const = 0;

  // Nanoseconds since an arbitrary start; never goes back.
  [[nodiscard]] virtual int64_t SteadyNs() const = 0;

  // The clock of the machine. Lives for ever.
  static const Clock& System();
};

// A clock that stands still until it is told to move. Starts at 2026-01-01T00:00:00Z.
class SimClock final : public Clock {
 public:
  [[nodiscard]] int64_t UnixNs() const override { return kStartUnixNs + steady_ns_.load(); }
  [[nodiscard]] int64_t SteadyNs() const override { return steady_ns_.load(); }
  void Advance(int64_t duration_ns) { steady_ns_ += duration_ns; }

 private:
  static constexpr int64_t kStartUnixNs = 1767225600LL * 1'000'000'000;
  std::atomic<int64_t> steady_ns_ = 0;
};

}  // namespace spanloom
