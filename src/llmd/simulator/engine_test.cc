// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace spanloom::llmd::simulator {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

constexpr int64_t kMs = 1'000'000;

class SeenSink final : public EngineSink {
 public:
  void OnToken(const SequenceSpec& sequence, int64_t at_ns) override { token_ms[sequence.id].push_back(at_ns / kMs); }
  void OnEnd(const SequenceSpec& sequence, const SequenceReport& report) override { ends[sequence.id] = report; }

  std::map<SequenceId, std::vector<int64_t>> token_ms;
  std::map<SequenceId, SequenceReport> ends;
};

class SeenEvents final : public KvEventSink {
 public:
  void Take(wire::KvEvent event) override { events.push_back(std::move(event)); }
  std::vector<wire::KvEvent> events;
};

// An engine, the time, and what came of it.
class EngineTest : public testing::Test {
 protected:
  void Make(EngineOptions options) {
    options.latency.running_max = options.running_max;
    engine_ = std::make_unique<Engine>(options, Rng(1), sink_, metrics_, &events_);
  }

  // A sequence whose prompt has `prompt` tokens, the same ones for all of the same `first` token.
  static SequenceSpec Spec(SequenceId id, size_t prompt, size_t answer, wire::TokenId first = 1) {
    SequenceSpec spec{.id = id, .tokens = std::vector<wire::TokenId>(prompt + answer), .prompt_tokens = prompt};
    std::iota(spec.tokens.begin(), spec.tokens.end(), first);
    spec.hashes = wire::BlockHasher(wire::BlockHashAlgorithm::kXxhashCbor, 4, "0").Hash(spec.tokens);
    return spec;
  }

  void RunUntil(int64_t ms) {
    while (true) {
      const auto next = engine_->Advance(ms * kMs, 1'000);
      if (!next || *next > ms * kMs) return;
    }
  }

  MetricRegistry registry_;
  EngineMetrics metrics_{registry_, {.model_name = "m"}};
  SeenSink sink_;
  SeenEvents events_;
  std::unique_ptr<Engine> engine_;
};

EngineOptions ByItself() {
  EngineOptions options{.running_max = 2, .blocks = 64, .block_tokens = 4};
  options.latency.calculator = LatencyCalculator::kConstant;
  options.latency.time_to_first_token.mean = milliseconds(100);
  options.latency.inter_token.mean = milliseconds(10);
  return options;
}

EngineOptions InSteps() {
  EngineOptions options{.running_max = 2, .step_tokens_max = 8, .blocks = 64, .block_tokens = 4};
  options.latency.calculator = LatencyCalculator::kBatch;
  options.latency.prefill_overhead = milliseconds(5);
  options.latency.prefill_per_token.mean = milliseconds(1);
  options.latency.inter_token.mean = milliseconds(10);
  return options;
}

// Scenario: three requests at two slots, each by itself.
// Guarantees: two run at once, unimpeded; the third waits for a slot, and its times say so.
TEST_F(EngineTest, RunsAsManyAsThereAreSlots) {
  Make(ByItself());
  for (const SequenceId id : {1, 2, 3}) engine_->Add(Spec(id, 5, 3), 0);
  EXPECT_EQ(engine_->running_count(), 2);
  EXPECT_EQ(engine_->waiting_count(), 1);
  RunUntil(1'000);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(100, 110, 120));
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(100, 110, 120));
  EXPECT_THAT(sink_.token_ms[3], ElementsAre(220, 230, 240));
  EXPECT_EQ(sink_.ends[3].times.scheduled_ns, 120 * kMs);
  EXPECT_EQ(sink_.ends[3].generated, 3);
  EXPECT_EQ(engine_->pool().free_count(), engine_->pool().block_count());
}

// Scenario: two requests run by themselves, one of them still in its prefill; then in steps; then by themselves again.
// Guarantees: each token comes once, at the times of the way that holds then, and nothing is left over at the end.
TEST_F(EngineTest, GoesOverToOtherTimes) {
  Make(ByItself());
  engine_->Add(Spec(1, 5, 4), 0);
  engine_->Add(Spec(2, 5, 2, 100), 50 * kMs);
  RunUntil(105);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(100));
  LatencyOptions steps = InSteps().latency;
  steps.running_max = 2;
  engine_->SetLatency(steps, 105 * kMs);
  RunUntil(130);  // of one token of the first, and five of the second's prompt: 5 + 5 * 1 + 10
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(100, 125));
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(125));
  LatencyOptions alone = ByItself().latency;
  alone.inter_token.mean = milliseconds(1);
  alone.running_max = 2;
  engine_->SetLatency(alone, 130 * kMs);
  RunUntil(200);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(100, 125, 131, 132));
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(125, 131));
  EXPECT_EQ(engine_->running_count(), 0);
  EXPECT_EQ(engine_->pool().free_count(), engine_->pool().block_count());
}

// Scenario: decode is asked before prefill is done; its peer is ready, has nothing, or is to fail the request.
// Guarantees: it waits, as deferred; then it fetches and decodes, computes the prompt itself, or ends.
TEST_F(EngineTest, WaitsForItsPeer) {
  EngineOptions options = ByItself();
  options.running_max = 3;
  options.latency.kv_transfer.mean = milliseconds(60);
  Make(options);
  for (const SequenceId id : {1, 2, 3}) {
    SequenceSpec spec = Spec(id, 5, 2, static_cast<wire::TokenId>(100 * id));
    spec.remote_tokens = 5;
    spec.awaits_peer = true;
    engine_->Add(std::move(spec), 0);
  }
  const auto fetches = [&](FetchStage stage) { return metrics_.gauges.fetches[static_cast<size_t>(stage)].load(); };
  RunUntil(500);
  EXPECT_EQ(fetches(FetchStage::kWaiting), 3);
  EXPECT_EQ(engine_->waiting_count(), 3);
  EXPECT_EQ(engine_->running_count(), 0);
  engine_->ResolvePeer(1, Engine::PeerNews::kReady, 500 * kMs);
  engine_->ResolvePeer(2, Engine::PeerNews::kCompute, 500 * kMs);
  engine_->ResolvePeer(3, Engine::PeerNews::kFail, 500 * kMs);
  EXPECT_EQ(fetches(FetchStage::kWaiting), 0);
  EXPECT_EQ(fetches(FetchStage::kInProgress), 1);
  RunUntil(2'000);
  EXPECT_EQ(fetches(FetchStage::kInProgress) + fetches(FetchStage::kCompleted), 0);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(570, 580));
  EXPECT_EQ(sink_.ends[1].transferred_tokens, 4);
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(600, 610));
  EXPECT_EQ(sink_.ends[2].transferred_tokens, 0);
  EXPECT_EQ(sink_.ends[3].end, SequenceEnd::kTransferFailed);
  EXPECT_EQ(engine_->pool().free_count(), engine_->pool().block_count());
}

// Scenario: of three sequences of two adapters, where one adapter runs at once.
// Guarantees: the second of the same adapter runs with the first, the other waits for both.
TEST_F(EngineTest, RunsAsManyAdaptersAsItMay) {
  EngineOptions options = ByItself();
  options.running_max = 3;
  Make(options);
  for (const auto& [id, adapter] : std::map<SequenceId, std::string>{{1, "a"}, {2, "b"}, {3, "a"}}) {
    SequenceSpec spec = Spec(id, 5, 2);
    spec.lora_name = adapter;
    engine_->Add(std::move(spec), 0);
  }
  RunUntil(1'000);
  EXPECT_THAT(sink_.token_ms[3], ElementsAre(100, 110));
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(210, 220));
}

// Scenario: a second request comes while the first one decodes; steps take 8 tokens, prompts have 10.
// Guarantees: its prompt is computed in parts, between which the first one goes on, and slows that down.
TEST_F(EngineTest, StepsMixPrefillAndDecode) {
  Make(InSteps());
  engine_->Add(Spec(1, 2, 4), 0);
  RunUntil(8);
  engine_->Add(Spec(2, 10, 2), 8 * kMs);
  RunUntil(1'000);
  // 5 + 2; a decode of 10 ms; then steps of 7, 3 and no tokens of the other's prompt.
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(7, 17, 17 + 5 + 7 + 10, 39 + 5 + 3 + 10));
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(57, 67));
}

// Scenario: more requests than may wait.
// Guarantees: those beyond are refused at once, and nothing else is.
TEST_F(EngineTest, RefusesWhatMayNotWait) {
  EngineOptions options = ByItself();
  options.waiting_max = 1;
  Make(options);
  for (const SequenceId id : {1, 2, 3, 4}) engine_->Add(Spec(id, 5, 1), 0);
  EXPECT_EQ(sink_.ends.size(), 1);
  EXPECT_EQ(sink_.ends[4].end, SequenceEnd::kRefused);
  RunUntil(1'000);
  EXPECT_EQ(sink_.ends.size(), 4);
}

// Scenario: two answers grow until the cache's six blocks are not enough for both.
// Guarantees: the later one gives way and is computed again; every token comes once, and no block is lost.
TEST_F(EngineTest, PreemptsTheLastWhenBlocksRunOut) {
  for (EngineOptions options : {ByItself(), InSteps()}) {
    options.blocks = 6;
    sink_ = {};
    const uint64_t before = metrics_.preemptions.value();
    Make(options);
    engine_->Add(Spec(1, 8, 12, 1), 0);
    engine_->Add(Spec(2, 8, 12, 100), 0);
    RunUntil(10'000);
    EXPECT_GT(metrics_.preemptions.value(), before);
    EXPECT_EQ(sink_.token_ms[1].size(), 12);
    EXPECT_EQ(sink_.token_ms[2].size(), 12);
    EXPECT_GT(sink_.token_ms[2].back(), sink_.token_ms[1].back());
    EXPECT_EQ(engine_->pool().free_count(), 6);
  }
}

// Scenario: requests that run, wait and fetch are aborted.
// Guarantees: nothing of them is left, and the slot goes to who waits.
TEST_F(EngineTest, AnAbortFreesWhatWasHeld) {
  EngineOptions options = ByItself();
  options.latency.kv_transfer.mean = milliseconds(50);
  options.running_max = 1;
  Make(options);
  SequenceSpec fetching = Spec(1, 8, 2);
  fetching.remote_tokens = 8;
  engine_->Add(std::move(fetching), 0);
  for (const SequenceId id : {2, 3}) engine_->Add(Spec(id, 8, 2), 0);
  engine_->Abort(1, kMs);
  engine_->Abort(2, kMs);
  engine_->Abort(2, kMs);
  EXPECT_EQ(engine_->running_count(), 1);
  RunUntil(1'000);
  EXPECT_THAT(sink_.token_ms[3], ElementsAre(101, 111));
  EXPECT_EQ(sink_.ends[1].end, SequenceEnd::kAborted);
  EXPECT_EQ(engine_->pool().free_count(), engine_->pool().block_count());
}

// Scenario: the blocks of a prompt are to be fetched.
// Guarantees: the fetch is time in the queue, as real engines tell it; then one step of decode gives the first token.
TEST_F(EngineTest, ATransferIsTimeInTheQueue) {
  EngineOptions options = ByItself();
  options.latency.kv_transfer_per_token.mean = milliseconds(2);
  Make(options);
  SequenceSpec spec = Spec(1, 8, 2);
  spec.remote_tokens = 8;
  engine_->Add(std::move(spec), 0);
  EXPECT_EQ(metrics_.gauges.waiting_deferred.load(), 1);
  RunUntil(1'000);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(26, 36));
  EXPECT_EQ(sink_.ends[1].times.scheduled_ns - sink_.ends[1].times.queued_ns, 16 * kMs);
  EXPECT_EQ(sink_.ends[1].transferred_tokens, 7);
}

// Scenario: blocks are kept for another engine: they are fetched, and others are not.
// Guarantees: they are in use until then, at the longest until the lease ends, which is counted.
TEST_F(EngineTest, KeepsBlocksUntilTheyAreFetchedOrTheLeaseEnds) {
  EngineOptions options = ByItself();
  options.lease_ns = 500 * kMs;
  Make(options);
  for (const SequenceId id : {1, 2}) {
    SequenceSpec spec = Spec(id, 8, 1);
    spec.keeps_blocks = true;
    engine_->Add(std::move(spec), 0);
  }
  RunUntil(200);
  EXPECT_EQ(sink_.ends[1].kept_blocks.size(), 2);
  EXPECT_EQ(engine_->pool().free_count(), 60);
  EXPECT_TRUE(engine_->Release(1));
  EXPECT_FALSE(engine_->Release(1));
  EXPECT_EQ(engine_->pool().free_count(), 62);
  RunUntil(600);
  EXPECT_EQ(engine_->pool().free_count(), 64);
  EXPECT_EQ(metrics_.expired_leases.value(), 1);
  EXPECT_FALSE(engine_->Release(2));
}

// Scenario: a prompt that was seen before, and one that begins alike.
// Guarantees: full blocks are found, but never the whole prompt; prefill pays for the rest alone.
TEST_F(EngineTest, FindsPromptsInTheCache) {
  EngineOptions options = InSteps();
  options.finds_blocks = true;
  options.step_tokens_max = 100;
  Make(options);
  engine_->Add(Spec(1, 8, 1), 0);
  RunUntil(100);
  EXPECT_THAT(sink_.token_ms[1], ElementsAre(5 + 8));
  engine_->Add(Spec(2, 8, 1), 100 * kMs);
  RunUntil(200);
  EXPECT_EQ(sink_.ends[2].cached_tokens, 4);  // of eight tokens one is computed at least, and with it its block
  EXPECT_THAT(sink_.token_ms[2], ElementsAre(100 + 5 + 4));
  engine_->Add(Spec(3, 11, 1), 200 * kMs);
  RunUntil(300);
  EXPECT_EQ(sink_.ends[3].cached_tokens, 8);
  EXPECT_EQ(metrics_.prefix_cache_hits.value(), 12);
  EXPECT_EQ(metrics_.prefix_cache_queries.value(), 27);
}

// Scenario: prompts of three blocks come to a cache of four.
// Guarantees: events tell what can be found, and what no longer can, in the order of the cache's own list.
TEST_F(EngineTest, TellsWhatCanBeFound) {
  EngineOptions options = ByItself();
  options.finds_blocks = true;
  options.blocks = 4;
  Make(options);
  const SequenceSpec first = Spec(1, 12, 1, 1);
  const std::vector<uint64_t> hashes = first.hashes;
  engine_->Add(first, 0);
  RunUntil(200);
  ASSERT_EQ(events_.events.size(), 1);
  const auto& stored = std::get<wire::BlockStored>(events_.events[0]);
  EXPECT_EQ(stored.hashes, hashes);
  EXPECT_EQ(stored.parent, std::nullopt);
  EXPECT_EQ(stored.tokens.size(), 12);
  engine_->Add(Spec(2, 8, 1, 100), 200 * kMs);
  RunUntil(400);
  ASSERT_EQ(events_.events.size(), 3);  // one block was empty: the prompt's last one goes, and what is new comes
  EXPECT_THAT(std::get<wire::BlockRemoved>(events_.events[1]).hashes, ElementsAre(hashes[2]));
  EXPECT_EQ(std::get<wire::BlockStored>(events_.events[2]).hashes.size(), 2);
  EXPECT_TRUE(engine_->ClearCache());
  EXPECT_TRUE(std::holds_alternative<wire::AllBlocksCleared>(events_.events.back()));
}

// Scenario: a thousand requests from a seed, with spreads, aborts and little memory, twice.
// Guarantees: the same seed gives the same times, everything ends, and every block is free at the end.
TEST_F(EngineTest, IsRepeatableAndLosesNothing) {
  std::vector<std::map<SequenceId, std::vector<int64_t>>> runs;
  for (int run = 0; run < 2; ++run) {
    for (EngineOptions options : {ByItself(), InSteps()}) {
      options.finds_blocks = true;
      options.blocks = 40;
      options.running_max = 6;
      options.latency.inter_token.std_dev = milliseconds(3);
      sink_ = {};
      Make(options);
      Rng rng(5);
      int64_t now_ms = 0;
      for (SequenceId id = 1; id <= 500; ++id) {
        SequenceSpec spec =
            Spec(id, 1 + rng.Below(40), 1 + rng.Below(30), static_cast<wire::TokenId>(1 + 1'000 * rng.Below(3)));
        if (rng.Below(8) == 0) spec.remote_tokens = rng.Below(spec.prompt_tokens + 1);
        spec.keeps_blocks = rng.Below(8) == 0;
        engine_->Add(std::move(spec), now_ms * kMs);
        if (rng.Below(4) == 0) engine_->Abort(1 + rng.Below(id), now_ms * kMs);
        now_ms += static_cast<int64_t>(rng.Below(60));
        RunUntil(now_ms);
      }
      RunUntil(now_ms + 10'000'000);
      EXPECT_EQ(sink_.ends.size(), 500);
      EXPECT_EQ(engine_->pool().free_count(), 40);
      runs.push_back(sink_.token_ms);
    }
  }
  EXPECT_EQ(runs[0], runs[2]);
  EXPECT_EQ(runs[1], runs[3]);
}

}  // namespace
}  // namespace spanloom::llmd::simulator
