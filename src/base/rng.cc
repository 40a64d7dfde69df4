// SPDX-License-Identifier: Apache-2.0

#include "base/rng.h"

#include <random>

namespace spanloom {

uint64_t Rng::SystemSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace spanloom
