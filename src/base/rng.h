// SPDX-License-Identifier: Apache-2.0
//
// Randomness as a parameter: a small seeded generator, so that a run can be repeated from its seed.

#pragma once

#include <cstdint>

namespace spanloom {

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). Not for secrets.
// Thread-compatible.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound); bound must be positive. The bias of the multiplication is below bound / 2^64.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64);
  }

  // Uniform in [0, 1), with 53 random bits.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

  // A seed from the operating system, for runs that need not be repeated.
  static uint64_t SystemSeed();

 private:
  uint64_t state_;
};

}  // namespace spanloom
