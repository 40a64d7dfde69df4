// SPDX-License-Identifier: Apache-2.0
//
// A distribution of doubles in little memory, whose quantiles are off by at most 1 %, and which can be merged: DDSketch
// (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace spanloom {

// Counts values in buckets (gamma^(i-1), gamma^i], gamma = (1 + a) / (1 - a), a = kRelativeError; negative values in
// buckets of their absolute value, and zeros apart. Memory: 16 bytes and a tree node a bucket that is not empty; at
// most kBucketsMax of them, then the buckets of the smallest absolute values are merged into one (and are less exact).
// Thread-compatible. A value.
class QuantileSketch {
 public:
  static constexpr double kRelativeError = 0.01;
  static constexpr size_t kBucketsMax = 4'096;  // of each sign: 35 decades; guess
  static constexpr double kZeroBelow = 1e-12;  // absolute values below count as zero: less than a picosecond in seconds

  // NaN is ignored; infinities count as the largest finite double.
  void Add(double value, uint64_t count = 1);
  // Associative and commutative.
  void Merge(const QuantileSketch& other);

  [[nodiscard]] uint64_t count() const { return count_; }
  // The value of rank floor(q * (count - 1)), q in [0, 1], within kRelativeError of it; 0 if the sketch is empty.
  [[nodiscard]] double Quantile(double q) const;

  // Buckets that are not empty, zeros left out: what it takes of memory.
  [[nodiscard]] size_t bucket_count() const { return positive_.size() + negative_.size(); }

  // A bucket as (lower, upper] for positive values, [lower, upper) for negative ones.
  struct Bucket {
    double lower = 0;
    double upper = 0;
    uint64_t count = 0;
  };
  // Those that are not empty, ascending; zeros are the bucket from 0 to 0.
  [[nodiscard]] std::vector<Bucket> Buckets() const;

  friend bool operator==(const QuantileSketch&, const QuantileSketch&) = default;

 private:
  std::map<int32_t, uint64_t> positive_;  // by i
  std::map<int32_t, uint64_t> negative_;
  uint64_t zeros_ = 0;
  uint64_t count_ = 0;
};

}  // namespace spanloom
