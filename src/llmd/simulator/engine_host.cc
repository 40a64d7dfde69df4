// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/engine_host.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/mutex.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kEventsAtOnce = 1'000;  // some 0.3 ms of single tokens; guess

// One call of a listener, on its way to the loop where it is to be made.
struct News {
  std::shared_ptr<SequenceListener> listener;
  size_t index = 0;
  int64_t at_ns = 0;
  std::unique_ptr<SequenceReport> report;  // null: a token
};

void Tell(const std::vector<News>& news) {
  for (const News& each : news) {
    each.report == nullptr ? each.listener->OnToken(each.index, each.at_ns)
                           : each.listener->OnEnd(each.index, *each.report);
  }
}

}  // namespace

// The engine, its timer, and the news that wait to be passed on. Bound to the engine's loop.
class EngineHost::State final : public EngineSink, public std::enable_shared_from_this<State> {
 public:
  State(const EngineOptions& options, Rng rng, net::LoopPool& api_loops, const Clock& clock, EngineMetrics& metrics,
        KvEventSink* events)
      : api_loops_(api_loops), clock_(clock), engine_(options, rng, *this, metrics, events), news_(api_loops.size()) {}

  void SetLoop(net::Loop& loop) { loop_ = &loop; }
  [[nodiscard]] net::Loop& loop() { return *loop_; }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] int64_t NowNs() const { return clock_.SteadyNs(); }

  [[nodiscard]] size_t CurrentApiLoop() const {
    for (size_t i = 0; i < api_loops_.size(); ++i) {
      if (api_loops_.At(i).IsCurrent()) return i;
    }
    return 0;
  }

  void Add(std::vector<SequenceSpec> specs, size_t api_loop) {
    for (SequenceSpec& spec : specs) {
      loop_of_.emplace(spec.id, api_loop);
      engine_.Add(std::move(spec), NowNs());
    }
    Run();
  }

  // Lets the engine do what is due, passes the news on, and comes back when more is due.
  void Run() {
    timer_.Cancel();
    const std::optional<int64_t> next = is_sleeping_ ? std::nullopt : engine_.Advance(NowNs(), kEventsAtOnce);
    PassNews();
    if (!next) return;
    const int64_t delay_ns = std::max<int64_t>(*next - NowNs(), 0);
    timer_ = loop_->PostAfter(std::chrono::nanoseconds(delay_ns), [self = weak_from_this()] {
      if (const auto state = self.lock()) state->Run();
    });
  }

  void SetSleeping(bool sleeps) {
    is_sleeping_ = sleeps;
    Run();
  }

  void OnToken(const SequenceSpec& sequence, int64_t at_ns) override {
    news_[loop_of_.at(sequence.id)].push_back({sequence.listener, sequence.index, at_ns, nullptr});
  }

  void OnEnd(const SequenceSpec& sequence, const SequenceReport& report) override {
    const auto place = loop_of_.find(sequence.id);
    news_[place->second].push_back({sequence.listener, sequence.index, 0, std::make_unique<SequenceReport>(report)});
    loop_of_.erase(place);
  }

  void Stop() {
    is_sleeping_ = true;
    timer_.Cancel();
    for (std::vector<News>& news : news_) news.clear();
  }

 private:
  void PassNews() {
    for (size_t i = 0; i < news_.size(); ++i) {
      if (news_[i].empty()) continue;
      api_loops_.At(i).Post([news = std::exchange(news_[i], {})] { Tell(news); });
    }
  }

  net::LoopPool& api_loops_;
  const Clock& clock_;
  Engine engine_;
  net::Loop* loop_ = nullptr;  // never null once it runs
  net::Timer timer_;
  bool is_sleeping_ = false;
  std::vector<std::vector<News>> news_;  // [api loops]
  absl::flat_hash_map<SequenceId, size_t> loop_of_;
};

EngineHost::EngineHost(const EngineOptions& options, Rng rng, net::LoopPool& api_loops, const Clock& clock,
                       EngineMetrics& metrics, KvEventSink* events)
    : state_(std::make_shared<State>(options, rng, api_loops, clock, metrics, events)),
      own_loop_(std::make_unique<net::LoopPool>(1)) {
  state_->SetLoop(own_loop_->At(0));
}

EngineHost::~EngineHost() {
  Notification stopped;
  state_->loop().Post([&] {
    state_->Stop();
    stopped.Notify();
  });
  stopped.Wait();
  own_loop_.reset();
}

void EngineHost::Add(std::vector<SequenceSpec> specs) {
  state_->loop().Post([state = state_, specs = std::move(specs), api_loop = state_->CurrentApiLoop()]() mutable {
    state->Add(std::move(specs), api_loop);
  });
}

void EngineHost::Abort(std::vector<SequenceId> ids) {
  state_->loop().Post([state = state_, ids = std::move(ids)] {
    for (const SequenceId id : ids) state->engine().Abort(id, state->NowNs());
    state->Run();
  });
}

void EngineHost::Release(SequenceId id, absl::AnyInvocable<void(bool)> done) {
  state_->loop().Post([state = state_, id, done = std::move(done)]() mutable {
    done(state->engine().Release(id));
    state->Run();
  });
}

void EngineHost::ResolvePeer(std::vector<SequenceId> ids, Engine::PeerNews news) {
  state_->loop().Post([state = state_, ids = std::move(ids), news] {
    for (const SequenceId id : ids) state->engine().ResolvePeer(id, news, state->NowNs());
    state->Run();
  });
}

void EngineHost::ClearCache(absl::AnyInvocable<void(bool)> done) {
  state_->loop().Post([state = state_, done = std::move(done)]() mutable { done(state->engine().ClearCache()); });
}

void EngineHost::SetLatency(const LatencyOptions& latency) {
  state_->loop().Post([state = state_, latency] {
    state->engine().SetLatency(latency, state->NowNs());
    state->Run();
  });
}

void EngineHost::Settle() {
  Notification done;
  state_->loop().Post([&done] { done.Notify(); });
  done.Wait();
}

void EngineHost::SetSleeping(bool sleeps) {
  state_->loop().Post([state = state_, sleeps] { state->SetSleeping(sleeps); });
}

}  // namespace spanloom::llmd::simulator
