// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/metric_bounds.h"

namespace spanloom::llmd::simulator {

const std::vector<double>& FirstTokenBounds() {
  static const std::vector<double> bounds = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25,  0.5,   0.75,
                                             1.0,   2.5,   5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0};
  return bounds;
}

const std::vector<double>& InterTokenBounds() {
  static const std::vector<double> bounds = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,  0.3,  0.4, 0.5,
                                             0.75, 1.0,   2.5,  5.0,   7.5, 10.0, 20.0, 40.0, 80.0};
  return bounds;
}

const std::vector<double>& RequestBounds() {
  static const std::vector<double> bounds = {0.3,  0.5,  0.8,  1.0,  1.5,   2.0,   2.5,   5.0,   10.0,   15.0,  20.0,
                                             30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0};
  return bounds;
}

std::vector<double> TokenCountBounds(int64_t max) {
  std::vector<double> bounds;
  for (int64_t power = 1; power <= max && power <= 1'000'000'000; power *= 10) {
    for (const int64_t digit : {1, 2, 5}) {
      if (digit * power <= max) bounds.push_back(static_cast<double>(digit * power));
    }
  }
  return bounds;
}

}  // namespace spanloom::llmd::simulator
