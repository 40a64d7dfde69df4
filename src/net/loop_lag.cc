// SPDX-License-Identifier: Apache-2.0

#include "net/loop_lag.h"

#include <absl/base/thread_annotations.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::net {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPeriod{100};  // costs a loop about 2 µs each; guess
constexpr size_t kSamples = 600;                   // a minute of them
constexpr std::array<std::pair<const char*, double>, 3> kQuantiles = {{{"0.5", 0.5}, {"0.99", 0.99}, {"1", 1.0}}};

nanoseconds QuantileOf(std::vector<nanoseconds> samples, double quantile) {
  if (samples.empty()) return nanoseconds(0);
  const auto index = static_cast<size_t>(quantile * static_cast<double>(samples.size() - 1) + 0.5);
  std::nth_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(index), samples.end());
  return samples[index];
}

}  // namespace

// One loop's. Start and Stop on the loop; samples() is thread-safe.
class LoopLag::Probe : public std::enable_shared_from_this<LoopLag::Probe> {
 public:
  explicit Probe(Loop& loop) : loop_(loop) {}

  void Start() {
    due_ = steady_clock::now() + kPeriod;
    timer_ = loop_.PostAfter(kPeriod, [this] { OnTimer(); });
  }
  void Stop() { timer_.Cancel(); }

  [[nodiscard]] std::vector<nanoseconds> samples() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return samples_;
  }

 private:
  void OnTimer() ABSL_LOCKS_EXCLUDED(mutex_) {
    const nanoseconds lag = std::max(nanoseconds(0), nanoseconds(steady_clock::now() - due_));
    {
      const MutexLock lock(mutex_);
      if (samples_.size() < kSamples) samples_.push_back(lag);
      samples_[next_] = lag;
      next_ = (next_ + 1) % kSamples;
    }
    Start();
  }

  Loop& loop_;
  steady_clock::time_point due_;
  Timer timer_;
  mutable Mutex mutex_;
  std::vector<nanoseconds> samples_ ABSL_GUARDED_BY(mutex_);  // [0, kSamples], the oldest at next_ once it is full
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

LoopLag::LoopLag(LoopPool& loops, MetricRegistry& metrics) : loops_(loops) {
  for (size_t i = 0; i < loops.size(); ++i) {
    auto probe = std::make_shared<Probe>(loops.At(i));
    probes_.push_back(probe);
    loops.At(i).Post([probe] { probe->Start(); });
    for (const auto& [text, quantile] : kQuantiles) {
      gauges_.push_back(
          metrics.AddGauge("spanloom_net_loop_lag_seconds", "How late tasks of a loop run, over the last minute.",
                           {{"loop", StrCat(i)}, {"quantile", text}}, [probe, quantile = quantile] {
                             return std::chrono::duration<double>(QuantileOf(probe->samples(), quantile)).count();
                           }));
    }
  }
}

LoopLag::~LoopLag() {
  for (size_t i = 0; i < probes_.size(); ++i) loops_.At(i).Post([probe = probes_[i]] { probe->Stop(); });
}

nanoseconds LoopLag::Quantile(double quantile) const {
  std::vector<nanoseconds> all;
  for (const auto& probe : probes_) {
    const std::vector<nanoseconds> samples = probe->samples();
    all.insert(all.end(), samples.begin(), samples.end());
  }
  return QuantileOf(std::move(all), quantile);
}

}  // namespace spanloom::net
