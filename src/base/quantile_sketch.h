// SPDX-License-Identifier: Apache-2.0
//
// A distribution of doubles in little memory, whose quantiles are off by at most 1 %, and which can be merged: DDSketch
// (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spanloom {

// Counts values in buckets (gamma^(i-1), gamma^i], gamma = (1 + a) / (1 - a), a = kRelativeError; negative values in
// buckets of their absolute value, and zeros apart. Memory: 8 bytes a bucket from the lowest to the highest that is not
// empty; where they are more than kBucketsMax, those of the smallest absolute values are merged into one (and are less
// exact). Adding a value takes about 10 ns. Thread-compatible. A value.
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

  // Buckets that take memory.
  [[nodiscard]] size_t bucket_count() const { return positive_.counts.size() + negative_.counts.size(); }

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
  // Counts of the buckets of one sign, from the lowest that is not empty to the highest.
  struct Window {
    int32_t first = 0;  // i of counts[0]
    std::vector<uint64_t> counts;

    [[nodiscard]] int32_t end() const { return first + static_cast<int32_t>(counts.size()); }
    void Add(int32_t bucket, uint64_t count);
    void Merge(const Window& other);
    friend bool operator==(const Window&, const Window&) = default;

   private:
    void Widen(int32_t bucket);
    void CutTo(int32_t lowest);
  };

  Window positive_;
  Window negative_;
  uint64_t zeros_ = 0;
  uint64_t count_ = 0;
};

}  // namespace spanloom
