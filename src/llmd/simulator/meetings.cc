// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/meetings.h"

namespace spanloom::llmd::simulator {

std::optional<Meetings::Party> Meetings::Take(const std::string& name) {
  const auto place = first_.find(name);
  if (place == first_.end()) return std::nullopt;
  Party party = std::move(place->second);
  first_.erase(place);
  return party;
}

void Meetings::Keep(const std::string& name, Party party) {
  order_.emplace_back(party.since_ns, name);
  first_.insert_or_assign(name, std::move(party));
}

// Makes room; who waited in vain is to be told so outside of the lock.
void Meetings::Forget(int64_t now_ns, std::deque<Told>& in_vain) {
  while (!order_.empty() && (order_.size() >= kMeetingsMax || now_ns - order_.front().first > kMeetingNs)) {
    const auto [since_ns, name] = std::move(order_.front());
    order_.pop_front();
    const auto place = first_.find(name);
    if (place == first_.end() || place->second.since_ns != since_ns) continue;
    if (place->second.told) in_vain.push_back(std::move(place->second.told));
    first_.erase(place);
  }
}

void Meetings::Offer(const std::string& name, EngineHost& engine, SequenceId id) {
  const int64_t now_ns = clock_.SteadyNs();
  std::deque<Told> in_vain;
  std::optional<Party> other;
  {
    const MutexLock lock(mutex_);
    Forget(now_ns, in_vain);
    other = Take(name);
    if (!other || !other->told) Keep(name, {.since_ns = now_ns, .engine = &engine, .id = id});
  }
  if (other && other->told) engine.Release(id, std::move(other->told));
  for (Told& told : in_vain) told(false);
}

void Meetings::Withdraw(const std::string& name) {
  const int64_t now_ns = clock_.SteadyNs();
  std::deque<Told> in_vain;
  {
    const MutexLock lock(mutex_);
    Forget(now_ns, in_vain);
    std::optional<Party> other = Take(name);
    if (other && other->told) {
      in_vain.push_back(std::move(other->told));
    } else {
      Keep(name, {.since_ns = now_ns});
    }
  }
  for (Told& told : in_vain) told(false);
}

void Meetings::Ask(const std::string& name, Told told) {
  const int64_t now_ns = clock_.SteadyNs();
  std::deque<Told> in_vain;
  Told at_once;  // who asks, if there is an answer already
  std::optional<Party> other;
  {
    const MutexLock lock(mutex_);
    Forget(now_ns, in_vain);
    other = Take(name);
    // Of two who ask, the second gets it.
    if (other && other->told) in_vain.push_back(std::move(other->told));
    const bool is_answered = other && (other->engine != nullptr || !other->was_asking);
    if (is_answered) {
      at_once = std::move(told);
    } else {
      Keep(name, {.since_ns = now_ns, .was_asking = true, .told = std::move(told)});
    }
  }
  for (Told& each : in_vain) each(false);
  if (!at_once) return;
  if (other->engine != nullptr) return other->engine->Release(other->id, std::move(at_once));
  at_once(false);
}

void Meetings::Clear() {
  Parties all;
  {
    const MutexLock lock(mutex_);
    all.swap(first_);
    order_.clear();
  }
  for (auto& [name, party] : all) {
    if (party.told) party.told(false);
  }
}

}  // namespace spanloom::llmd::simulator
