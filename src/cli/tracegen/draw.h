// SPDX-License-Identifier: Apache-2.0
//
// Draws from the distributions that the shapes use, and a clock hand that moves along by such draws.

#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "base/rng.h"
#include "cli/tracegen/span_writer.h"

namespace spanloom::cli::tracegen {

inline constexpr int64_t kMicrosecond = 1'000;      // ns
inline constexpr int64_t kMillisecond = 1'000'000;  // ns
inline constexpr int64_t kSecond = 1'000'000'000;   // ns

// Uniform in [low, high]; low <= high.
int64_t Between(Rng& rng, int64_t low, int64_t high);

// True with this probability.
bool Chance(Rng& rng, double probability);

// Exponentially distributed.
double Exponential(Rng& rng, double mean);

// Log-normally distributed around `median`; one standard deviation multiplies or divides by `spread`. Kept within [low,
// high].
int64_t LogNormal(Rng& rng, double median, double spread, int64_t low, int64_t high);

// A random id; never all zero, which means "none".
template <typename Id>
Id DrawId(Rng& rng) {
  Id id;
  for (size_t at = 0; at < id.bytes.size(); at += sizeof(uint64_t)) {
    const uint64_t word = rng.Next() | (at == 0 ? 1 : 0);
    std::memcpy(id.bytes.data() + at, &word, sizeof(word));
  }
  return id;
}

// A UUID of version 4 (random), as text.
std::string UuidV4(Rng& rng);

// A UUID of version 1 (time and network card), as text. `node` is the card's address, 48 bits. RFC 9562, section 5.1.
std::string UuidV1(Rng& rng, int64_t unix_ns, uint64_t node);

// Moves from one point of a trace's time to the next.
class Timeline {
 public:
  Timeline(Rng& rng, int64_t start_ns) : rng_(rng), now_ns_(start_ns) {}

  [[nodiscard]] int64_t now_ns() const { return now_ns_; }

  // Lets between `low_ns` and `high_ns` pass.
  void Pass(int64_t low_ns, int64_t high_ns) { now_ns_ += Between(rng_, low_ns, high_ns); }
  void Pass(int64_t duration_ns) { now_ns_ += duration_ns; }

  // The same, as an interval.
  [[nodiscard]] Interval Take(int64_t low_ns, int64_t high_ns) {
    const int64_t start_ns = now_ns_;
    Pass(low_ns, high_ns);
    return {start_ns, now_ns_};
  }

 private:
  Rng& rng_;
  int64_t now_ns_;
};

}  // namespace spanloom::cli::tracegen
