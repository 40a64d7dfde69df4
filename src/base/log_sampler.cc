// SPDX-License-Identifier: Apache-2.0

#include "base/log_sampler.h"

#include <algorithm>
#include <vector>

namespace spanloom {

bool LogSampler::Admits(LogLevel level, std::string_view message, int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (now_ns >= tick_end_ns_) {
    EndTick();
    tick_end_ns_ = now_ns + sampling_.tick.count();
  }
  std::pair<LogLevel, std::string> key(level, message);
  if (counts_.size() >= kMessagesMax && !counts_.contains(key)) return true;
  Count& count = counts_[std::move(key)];
  const uint64_t seen = ++count.seen;
  if (seen <= sampling_.initial) return true;
  if (sampling_.thereafter > 0 && (seen - sampling_.initial) % sampling_.thereafter == 0) return true;
  ++count.left_out;
  return false;
}

LogSampler::LeftOut LogSampler::TakeLeftOut(int64_t now_ns, bool in_haste) {
  const MutexLock lock(mutex_);
  if (in_haste || now_ns >= tick_end_ns_) EndTick();
  return std::exchange(left_out_, {});
}

void LogSampler::EndTick() {
  std::vector<std::pair<uint64_t, std::string>> lost;
  for (const auto& [key, count] : counts_) {
    if (count.left_out == 0) continue;
    left_out_.lines += count.left_out;
    lost.emplace_back(count.left_out, StrCat(LogLevelName(key.first), ": ", key.second));
  }
  counts_.clear();
  std::sort(lost.begin(), lost.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (lost.size() > kNamedMax) lost.resize(kNamedMax);
  for (const auto& [lines, message] : lost) {
    StrAppend(left_out_.messages, left_out_.messages.empty() ? "" : "; ", lines, " of ", message);
  }
}

}  // namespace spanloom
