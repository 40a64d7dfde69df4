// SPDX-License-Identifier: Apache-2.0
//
// Where a prefill server and a decode server find each other that were asked at the same time: one offers the blocks of
// a request under the name that the proxy gave both (Mooncake's transfer_id, SGLang's bootstrap_room), the other waits
// for them; whoever comes second ends it.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "llmd/simulator/engine_host.h"

namespace spanloom::llmd::simulator {

inline constexpr size_t kMeetingsMax = 65'536;                        // of those who came first; guess
inline constexpr int64_t kMeetingNs = 120LL * 1'000 * 1'000 * 1'000;  // that the first one is remembered; guess

// Thread-safe. Bounded by kMeetingsMax and kMeetingNs: who is forgotten for them has waited in vain.
class Meetings {
 public:
  using Told = absl::AnyInvocable<void(bool was_there)>;

  // `clock` must outlive it.
  explicit Meetings(const Clock& clock) : clock_(clock) {}

  // The blocks of the sequence `id` of `engine`, which outlives this, are kept under `name`. They are let go when
  // somebody has asked for them.
  void Offer(const std::string& name, EngineHost& engine, SequenceId id) ABSL_LOCKS_EXCLUDED(mutex_);

  // There will be no blocks under `name`.
  void Withdraw(const std::string& name) ABSL_LOCKS_EXCLUDED(mutex_);

  // Asks for the blocks under `name`. `told` is called once, on any thread, when they are there, or won't be.
  void Ask(const std::string& name, Told told) ABSL_LOCKS_EXCLUDED(mutex_);

  // Nobody waits any longer.
  void Clear() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Who came first: one that waits if it was asking, else an offer if there is an engine, or a refusal.
  struct Party {
    int64_t since_ns = 0;
    EngineHost* engine = nullptr;
    SequenceId id = 0;
    bool was_asking = false;
    Told told = {};
  };
  using Parties = absl::flat_hash_map<std::string, Party>;

  std::optional<Party> Take(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep(const std::string& name, Party party) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(int64_t now_ns, std::deque<Told>& in_vain) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  Parties first_ ABSL_GUARDED_BY(mutex_);                                      // by name
  std::deque<std::pair<int64_t, std::string>> order_ ABSL_GUARDED_BY(mutex_);  // of arrival; may name who has gone
};

}  // namespace spanloom::llmd::simulator
