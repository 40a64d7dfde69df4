// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace spanloom::cli::tracegen {

void LatencyHistogram::Record(int64_t duration_ns) {
  ++counts_[BucketOf(static_cast<uint64_t>(std::max<int64_t>(duration_ns, 0)))];
  ++count_;
}

int64_t LatencyHistogram::QuantileNs(double quantile) const {
  if (count_ == 0) return 0;
  const auto wanted = static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(count_)));
  uint64_t seen = 0;
  size_t bucket = 0;
  while (bucket < kBuckets && (seen += counts_[bucket]) < std::max<uint64_t>(wanted, 1)) ++bucket;
  return UpperBoundOf(bucket);
}

// Values below 32 have a bucket each; above, the top six bits of a value name its bucket.
size_t LatencyHistogram::BucketOf(uint64_t value) {
  const int shift = std::max(static_cast<int>(std::bit_width(value)) - (kSubBits + 1), 0);
  return (static_cast<size_t>(shift) << kSubBits) + static_cast<size_t>(value >> shift);
}

int64_t LatencyHistogram::UpperBoundOf(size_t bucket) {
  const size_t shift = bucket < (2u << kSubBits) ? 0 : (bucket >> kSubBits) - 1;
  const uint64_t top_bits = bucket - (shift << kSubBits);
  return static_cast<int64_t>(((top_bits + 1) << shift) - 1);
}

}  // namespace spanloom::cli::tracegen
