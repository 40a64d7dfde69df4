// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/engine.h"

#include <absl/algorithm/container.h>

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kBlockDescriptors = 64;  // NIXL's, one a layer for keys and for values
constexpr int64_t kPostNs = 20'000;       // to hand a transfer to the network card; guess

}  // namespace

Engine::Engine(const EngineOptions& options, Rng rng, EngineSink& sink, EngineMetrics& metrics, KvEventSink* events)
    : options_(options),
      sink_(sink),
      metrics_(metrics),
      latency_(options.latency, rng),
      pool_(options.blocks, options.block_tokens, options.finds_blocks, events) {}

void Engine::Add(SequenceSpec spec, int64_t now_ns) {
  auto sequence = std::make_unique<Sequence>();
  sequence->spec = std::move(spec);
  sequence->report.times.queued_ns = now_ns;
  Sequence& added = *sequence;
  CHECK(added.spec.prompt_tokens > 0 && added.spec.prompt_tokens < added.spec.tokens.size());
  CHECK(sequences_.emplace(added.spec.id, std::move(sequence)).second);
  if (pool_.BlocksFor(added.spec.tokens.size()) > pool_.block_count()) return End(added, SequenceEnd::kTooLong, now_ns);
  // One that can start at once need not wait.
  const bool has_slot = waiting_.empty() && running_.size() < options_.running_max;
  if (!has_slot && waiting_count() >= options_.waiting_max) {
    metrics_.refused.Add(1);
    return End(added, SequenceEnd::kRefused, now_ns);
  }
  waiting_.push_back(&added);
  if (added.spec.remote_tokens) SetFetch(added, FetchStage::kWaiting);
  Place(added, AdapterPlace::kWaiting);
  if (!step_end_ns_) Schedule(now_ns);
  UpdateGauges();
}

void Engine::Abort(SequenceId id, int64_t now_ns) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end()) return;
  End(*found->second, SequenceEnd::kAborted, now_ns);
  if (!step_end_ns_) Schedule(now_ns);
  UpdateGauges();
}

void Engine::ResolvePeer(SequenceId id, PeerNews news, int64_t now_ns) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end()) return;
  Sequence& sequence = *found->second;
  sequence.peer = news;
  if (news == PeerNews::kFail) {
    End(sequence, SequenceEnd::kTransferFailed, now_ns);
  } else if (sequence.is_transferring && news == PeerNews::kReady) {
    TimeTransfer(sequence, now_ns);
  } else if (sequence.is_transferring) {
    sequence.spec.remote_tokens = 0;
    EndTransfer(id);
  } else if (news == PeerNews::kCompute) {
    sequence.spec.remote_tokens.reset();
    SetFetch(sequence, FetchStage::kNone);
  }
  if (!step_end_ns_) Schedule(now_ns);
  UpdateGauges();
}

bool Engine::Release(SequenceId id) {
  const auto found = kept_.find(id);
  if (found == kept_.end()) return false;
  pool_.Free(found->second);
  kept_.erase(found);
  UpdateGauges();
  return true;
}

// The two ways to run do not mix: who runs goes over to the other one as if it had just been started there.
void Engine::SetLatency(const LatencyOptions& latency, int64_t now_ns) {
  const bool was_batch = latency_.is_batch();
  latency_.SetOptions(latency);
  if (!was_batch && latency_.is_batch()) tokens_ = {};
  if (was_batch && !latency_.is_batch()) {
    step_end_ns_.reset();
    const std::vector<Sequence*> running = running_;  // whose last ones may be preempted meanwhile
    for (Sequence* sequence : running) {
      sequence->scheduled = 0;
      if (sequence->is_running && GrowOrPreempt(*sequence)) ScheduleToken(*sequence, now_ns);
    }
  }
  if (!step_end_ns_) Schedule(now_ns);
  UpdateGauges();
}

std::optional<int64_t> Engine::NextNs() const {
  int64_t next = step_end_ns_.value_or(std::numeric_limits<int64_t>::max());
  for (const DueQueue* queue : {&tokens_, &transfers_, &leases_}) {
    if (!queue->empty()) next = std::min(next, queue->top().at_ns);
  }
  return next == std::numeric_limits<int64_t>::max() ? std::nullopt : std::optional(next);
}

std::optional<int64_t> Engine::Advance(int64_t now_ns, size_t events_max) {
  std::optional<int64_t> next = NextNs();
  for (; next && *next <= now_ns && events_max > 0; --events_max) {
    RunOne(*next);
    if (!step_end_ns_) Schedule(*next);
    next = NextNs();
  }
  UpdateGauges();
  return next;
}

// The earliest event, which is at `at_ns`.
void Engine::RunOne(int64_t at_ns) {
  if (step_end_ns_ && *step_end_ns_ == at_ns) return EndStep(at_ns);
  const auto pop = [&](DueQueue& queue) {
    const SequenceId id = queue.top().id;
    queue.pop();
    return id;
  };
  if (!transfers_.empty() && transfers_.top().at_ns == at_ns) return EndTransfer(pop(transfers_));
  if (!tokens_.empty() && tokens_.top().at_ns == at_ns) {
    const auto found = sequences_.find(pop(tokens_));
    // One that was preempted since is due at another time, or not at all.
    if (found == sequences_.end() || !found->second->is_running || found->second->due_ns != at_ns) return;
    Sequence& sequence = *found->second;
    sequence.computed = sequence.spec.prompt_tokens + sequence.report.generated;
    return EmitToken(sequence, at_ns);
  }
  if (Release(pop(leases_))) metrics_.expired_leases.Add(1);
}

void Engine::Schedule(int64_t at_ns) {
  size_t budget = latency_.is_batch() ? options_.step_tokens_max : std::numeric_limits<size_t>::max();
  latency_.is_batch() ? BeginStep(at_ns, budget) : ScheduleWaiting(at_ns, budget);
}

// A step computes one token of each that decodes and, as far as the budget goes, prompts.
void Engine::BeginStep(int64_t at_ns, size_t& budget) {
  const size_t running_before = running_.size();
  for (size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    const size_t total = sequence.spec.prompt_tokens + sequence.report.generated;
    if (!GrowOrPreempt(sequence)) break;  // it was the last one, and has gone
    sequence.scheduled = std::min(total - sequence.computed, budget);
    budget -= sequence.scheduled;
  }
  // Who was preempted is not to take away again at once what it gave up.
  if (running_.size() == running_before) ScheduleWaiting(at_ns, budget);
  if (running_.empty()) return;
  size_t tokens = 0;
  for (const Sequence* sequence : running_) tokens += sequence->scheduled;
  metrics_.iteration_tokens.Add(static_cast<double>(tokens));
  const size_t decodes = CountDecodes();
  step_end_ns_ = at_ns + latency_.StepNs(tokens - decodes, decodes, running_.size());
}

// Of the step to come: what computes one token behind others, also the last one of a prompt that was fetched.
size_t Engine::CountDecodes() const {
  return static_cast<size_t>(absl::c_count_if(running_, [](const Sequence* sequence) {
    return sequence->scheduled == 1 && (sequence->report.generated > 0 || sequence->has_transferred);
  }));
}

void Engine::EndStep(int64_t at_ns) {
  step_end_ns_.reset();
  const std::vector<Sequence*> step = running_;  // whose sequences may end meanwhile
  for (Sequence* sequence : step) {
    sequence->computed += std::exchange(sequence->scheduled, 0);
    if (sequence->computed == sequence->spec.prompt_tokens + sequence->report.generated) {
      EmitToken(*sequence, at_ns);
    } else {
      sequence->marked_blocks =
          pool_.MarkComputed({sequence->spec.hashes, sequence->spec.tokens, sequence->spec.lora_name},
                             sequence->computed, sequence->marked_blocks, sequence->blocks);
    }
  }
}

void Engine::ScheduleWaiting(int64_t at_ns, size_t& budget) {
  size_t next = 0;  // those before have no slot for their adapter
  while (next < waiting_.size() && running_.size() < options_.running_max && budget > 0) {
    Sequence& sequence = *waiting_[next];
    const auto place = waiting_.begin() + static_cast<ptrdiff_t>(next);
    if (sequence.spec.remote_tokens && !sequence.has_transferred) {
      if (!pool_.Begin({}, 0, sequence.spec.prompt_tokens, sequence.blocks)) return;
      waiting_.erase(place);
      StartTransfer(sequence, at_ns);
    } else if (MissesThreshold(sequence)) {
      sequence.report.times.scheduled_ns = at_ns;
      End(sequence, SequenceEnd::kBelowThreshold, at_ns);
    } else if (!HasAdapterSlot(sequence)) {
      ++next;
    } else if (Start(sequence, at_ns, budget)) {
      waiting_.erase(waiting_.begin() + static_cast<ptrdiff_t>(next));
    } else {
      return;
    }
  }
}

// Whether less of its prompt is in the cache than it wants to be started for.
bool Engine::MissesThreshold(const Sequence& sequence) const {
  const SequenceSpec& spec = sequence.spec;
  if (spec.cache_hit_threshold <= 0 || sequence.report.times.scheduled_ns != 0 || sequence.has_transferred)
    return false;
  const size_t full_blocks = std::min(spec.hashes.size(), spec.prompt_tokens / pool_.block_tokens());
  const size_t found = pool_.CountFound(std::span(spec.hashes).first(full_blocks)) * pool_.block_tokens();
  return static_cast<double>(found) < spec.cache_hit_threshold * static_cast<double>(spec.prompt_tokens);
}

bool Engine::HasAdapterSlot(const Sequence& sequence) const {
  const std::string& name = sequence.spec.lora_name;
  return name.empty() || adapters_.IsRunning(name) || adapters_.running_count() < options_.loras_max;
}

void Engine::Place(Sequence& sequence, AdapterPlace place) {
  adapters_.Move(sequence.spec.lora_name, std::exchange(sequence.place, place), place);
}

// Gives one of those that wait a slot and blocks; false if there are none for it.
bool Engine::Start(Sequence& sequence, int64_t at_ns, size_t& budget) {
  const SequenceSpec& spec = sequence.spec;
  const size_t total = spec.prompt_tokens + sequence.report.generated;
  if (sequence.blocks.empty()) {
    // At least one token is computed: it is what the next one comes from.
    const size_t findable = std::min(spec.hashes.size(), (total - 1) / pool_.block_tokens());
    const size_t found = pool_.CountFound(std::span(spec.hashes).first(findable));
    if (!pool_.Begin(spec.hashes, found, total, sequence.blocks)) return false;
    sequence.computed = found * pool_.block_tokens();
    sequence.marked_blocks = found;
    if (sequence.report.times.scheduled_ns == 0 && options_.finds_blocks) {
      sequence.report.cached_tokens = sequence.computed;
      metrics_.prefix_cache_queries.Add(spec.prompt_tokens);
      metrics_.prefix_cache_hits.Add(sequence.computed);
    }
  }
  running_.push_back(&sequence);
  Place(sequence, AdapterPlace::kRunning);
  SetFetch(sequence, FetchStage::kNone);
  sequence.is_running = true;
  if (sequence.report.times.scheduled_ns == 0) sequence.report.times.scheduled_ns = at_ns;
  sequence.scheduled = std::min(total - sequence.computed, budget);
  budget -= sequence.scheduled;
  if (!latency_.is_batch()) ScheduleToken(sequence, at_ns);
  return true;
}

void Engine::SetFetch(Sequence& sequence, FetchStage stage) {
  const FetchStage before = std::exchange(sequence.fetch, stage);
  if (before != FetchStage::kNone) --fetches_[static_cast<size_t>(before)];
  if (stage != FetchStage::kNone) ++fetches_[static_cast<size_t>(stage)];
}

void Engine::StartTransfer(Sequence& sequence, int64_t at_ns) {
  sequence.is_transferring = true;
  ++transferring_;
  metrics_.external_prefix_cache_queries.Add(sequence.spec.prompt_tokens);
  if (!sequence.spec.awaits_peer || sequence.peer) TimeTransfer(sequence, at_ns);
}

void Engine::TimeTransfer(Sequence& sequence, int64_t at_ns) {
  const size_t tokens = std::min(*sequence.spec.remote_tokens, sequence.spec.prompt_tokens);
  const int64_t duration_ns = latency_.TransferNs(tokens);
  SetFetch(sequence, FetchStage::kInProgress);
  metrics_.transfer_time.AddNs(duration_ns);
  metrics_.transfer_post_time.AddNs(kPostNs);
  metrics_.transfer_bytes.Add(static_cast<double>(tokens * kTokenBytes));
  metrics_.transfer_descriptors.Add(static_cast<double>(pool_.BlocksFor(tokens) * kBlockDescriptors));
  transfers_.push({at_ns + duration_ns, sequence.spec.id});
}

// It goes in front of those that wait: it has its blocks already.
void Engine::EndTransfer(SequenceId id) {
  const auto found = sequences_.find(id);
  if (found == sequences_.end() || !found->second->is_transferring) return;
  Sequence& sequence = *found->second;
  sequence.is_transferring = false;
  sequence.has_transferred = true;
  SetFetch(sequence, FetchStage::kCompleted);
  --transferring_;
  const size_t prompt = sequence.spec.prompt_tokens;
  sequence.computed = std::min(*sequence.spec.remote_tokens, prompt - 1);
  sequence.report.transferred_tokens = sequence.computed;
  metrics_.external_prefix_cache_hits.Add(sequence.computed);
  waiting_.push_front(&sequence);
}

// When the next token of one that runs by itself comes.
void Engine::ScheduleToken(Sequence& sequence, int64_t at_ns) {
  const bool is_prefill = sequence.report.generated == 0 && !sequence.has_transferred;
  const size_t left = sequence.spec.prompt_tokens + sequence.report.generated - sequence.computed;
  const bool computes_prompt = is_prefill || left > 1;  // again, after a preemption
  sequence.due_ns =
      at_ns + (computes_prompt ? latency_.PrefillNs(left, running_.size()) : latency_.DecodeNs(running_.size()));
  tokens_.push({sequence.due_ns, sequence.spec.id});
}

void Engine::EmitToken(Sequence& sequence, int64_t at_ns) {
  const SequenceSpec& spec = sequence.spec;
  SequenceReport& report = sequence.report;
  sequence.marked_blocks = pool_.MarkComputed({spec.hashes, spec.tokens, spec.lora_name}, sequence.computed,
                                              sequence.marked_blocks, sequence.blocks);
  if (report.generated++ == 0) {
    report.times.first_token_ns = at_ns;
    CountPrompt(sequence);
  } else {
    metrics_.inter_token_latency.AddNs(at_ns - report.times.last_token_ns);
  }
  report.times.last_token_ns = at_ns;
  if (!spec.is_pooled) metrics_.generation_tokens.Add(1);
  sink_.OnToken(spec, at_ns);
  if (spec.prompt_tokens + report.generated == spec.tokens.size()) return End(sequence, SequenceEnd::kFinished, at_ns);
  if (latency_.is_batch()) return;
  if (GrowOrPreempt(sequence)) ScheduleToken(sequence, at_ns);
}

void Engine::CountPrompt(const Sequence& sequence) {
  const size_t prompt = sequence.spec.prompt_tokens;
  const SequenceReport& report = sequence.report;
  metrics_.prompt_tokens.Add(prompt);
  metrics_.prompt_tokens_cached.Add(report.cached_tokens);
  metrics_.prompt_tokens_found.Add(report.cached_tokens);
  metrics_.prompt_tokens_transferred.Add(report.transferred_tokens);
  metrics_.cached_on_device.Add(report.cached_tokens);
  metrics_.cached_at_peer.Add(report.transferred_tokens);
  metrics_.prompt_tokens_computed.Add(prompt - report.cached_tokens - report.transferred_tokens);
  metrics_.request_computed_tokens.Add(static_cast<double>(prompt - report.cached_tokens - report.transferred_tokens));
}

// Makes room for all tokens so far; others are preempted for it, the last admitted first. False if that was `sequence`.
bool Engine::GrowOrPreempt(Sequence& sequence) {
  const size_t tokens = sequence.spec.prompt_tokens + sequence.report.generated;
  while (!pool_.Grow(tokens, sequence.blocks)) {
    Sequence& victim = *running_.back();
    Preempt(victim);
    if (&victim == &sequence) return false;
  }
  return true;
}

// Its tokens are computed again later.
void Engine::Preempt(Sequence& sequence) {
  metrics_.preemptions.Add(1);
  ++sequence.report.preemptions;
  pool_.Free(sequence.blocks);
  sequence.computed = sequence.scheduled = sequence.marked_blocks = 0;
  sequence.is_running = false;
  running_.pop_back();
  waiting_.push_front(&sequence);
  Place(sequence, AdapterPlace::kWaiting);
}

void Engine::LeaveQueues(Sequence& sequence) {
  Place(sequence, AdapterPlace::kNone);
  SetFetch(sequence, FetchStage::kNone);
  if (sequence.is_transferring) --transferring_;
  if (sequence.is_running) {
    running_.erase(absl::c_find(running_, &sequence));
  } else if (const auto place = absl::c_find(waiting_, &sequence); place != waiting_.end()) {
    waiting_.erase(place);
  }
}

void Engine::End(Sequence& sequence, SequenceEnd end, int64_t at_ns) {
  LeaveQueues(sequence);
  sequence.report.end = end;
  if (end == SequenceEnd::kFinished && sequence.spec.keeps_blocks) {
    sequence.report.kept_blocks = sequence.blocks;
    kept_.emplace(sequence.spec.id, std::exchange(sequence.blocks, {}));
    leases_.push({at_ns + options_.lease_ns, sequence.spec.id});
  }
  pool_.Free(sequence.blocks);
  sink_.OnEnd(sequence.spec, sequence.report);
  sequences_.erase(sequence.spec.id);
}

void Engine::UpdateGauges() {
  EngineGauges& gauges = metrics_.gauges;
  gauges.running.store(running_.size(), std::memory_order_relaxed);
  gauges.waiting_capacity.store(waiting_.size(), std::memory_order_relaxed);
  gauges.waiting_deferred.store(transferring_, std::memory_order_relaxed);
  for (size_t stage = 0; stage < kFetchStages; ++stage)
    gauges.fetches[stage].store(fetches_[stage], std::memory_order_relaxed);
  gauges.cache_usage.store(pool_.usage(), std::memory_order_relaxed);
  if (adapters_.TakeChange()) metrics_.ShowAdapters(adapters_.RunningNames(), adapters_.WaitingNames());
}

}  // namespace spanloom::llmd::simulator
