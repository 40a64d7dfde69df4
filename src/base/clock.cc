// SPDX-License-Identifier: Apache-2.0

#include "base/clock.h"

#include <chrono>

namespace spanloom {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t UnixNs() const override {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }
  [[nodiscard]] int64_t SteadyNs() const override {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
};

}  // namespace

const Clock& Clock::System() {
  static const SystemClock clock;
  return clock;
}

}  // namespace spanloom
