// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/traffic.h"

#include <absl/container/flat_hash_map.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "net/loop_call.h"

namespace spanloom::cli::demo {
namespace {

constexpr size_t kUnderWayMax = 1'000;  // guess
constexpr std::chrono::seconds kRequestMax{120};
constexpr uint64_t kConversations = 6;         // with beginnings of their own
constexpr uint64_t kBeginningWordsMin = 120;   // of a system prompt
constexpr uint64_t kBeginningWordsStep = 160;  // more for each further conversation
constexpr uint64_t kQuestionWordsMax = 400;
constexpr uint64_t kAnswerTokensMin = 8;
constexpr uint64_t kAnswerTokensMax = 120;

constexpr std::string_view kWords[] = {"why",    "does",  "the",     "request", "wait",   "for",   "a",    "prefill",
                                       "pod",    "while", "decode",  "is",      "idle",   "and",   "how",  "much",
                                       "of",     "cache", "can",     "be",      "used",   "again", "when", "many",
                                       "people", "ask",   "similar", "things",  "in",     "one",   "day",  "please",
                                       "answer", "with",  "numbers", "from",    "recent", "runs",  "only", "briefly"};

std::string DrawWords(uint64_t count, Rng& rng) {
  std::string text;
  for (uint64_t i = 0; i < count; ++i) StrAppend(text, i == 0 ? "" : " ", kWords[rng.Below(std::size(kWords))]);
  return text;
}

void WriteMessage(JsonWriter& json, std::string_view role, std::string_view content) {
  json.BeginObject();
  json.Field("role", role);
  json.Field("content", content);
  json.EndObject();
}

const std::string& OneOf(const std::vector<std::string>& list, Rng& rng) {
  return list[rng.Below(list.size())];
}

}  // namespace

net::HttpRequest DrawRequest(const TrafficOptions& options, Rng& rng) {
  const uint64_t conversation = rng.Below(kConversations);
  Rng beginning(conversation);
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/v1/chat/completions";
  request.headers.Add("content-type", "application/json");
  if (!options.prefills.empty() && rng.Below(8) != 0) {
    request.headers.Add("x-prefiller-host-port", OneOf(options.prefills, rng));
  }
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Field("model", options.model);
  json.Key("messages");
  json.BeginArray();
  WriteMessage(json, "system", DrawWords(kBeginningWordsMin + conversation * kBeginningWordsStep, beginning));
  WriteMessage(json, "user", DrawWords(1 + rng.Below(kQuestionWordsMax), rng));
  json.EndArray();
  json.Field("max_tokens", kAnswerTokensMin + rng.Below(kAnswerTokensMax - kAnswerTokensMin));
  json.Field("stream", true);
  json.EndObject();
  request.body = Bytes(std::move(body));
  return request;
}

// Bound to its loop, but for the counts.
class Traffic::State : public std::enable_shared_from_this<Traffic::State> {
 public:
  State(net::Loop& loop, const Clock& clock, TrafficOptions options)
      : loop_(loop), clock_(clock), options_(std::move(options)), rng_(options_.seed) {}

  Status Connect() {
    for (const std::string& proxy : options_.proxies) {
      net::HttpClientOptions client_options;
      client_options.endpoint = proxy;
      client_options.connections_max = kUnderWayMax;
      ASSIGN_OR_RETURN(auto client, net::HttpClient::Create(loop_, std::move(client_options)));
      clients_.push_back(std::move(client));
    }
    return absl::OkStatus();
  }

  void AwaitNext() {
    const double gap_s = -std::log(1 - rng_.Unit()) / options_.rate;
    next_ = loop_.PostAfter(std::chrono::nanoseconds(static_cast<int64_t>(gap_s * 1e9)), [this] {
      Send();
      AwaitNext();
    });
  }

  void End() {
    next_.Cancel();
    under_way_.clear();
    clients_.clear();
  }

  [[nodiscard]] TrafficStats stats() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    TrafficStats stats = stats_;
    stats.ttft_p50_ns = ttft_.QuantileNs(0.5);
    stats.ttft_p99_ns = ttft_.QuantileNs(0.99);
    return stats;
  }

  net::Loop& loop() { return loop_; }

 private:
  struct UnderWay {
    std::unique_ptr<net::HttpExchange> exchange;
    int64_t begin_ns = 0;
    bool has_begun = false;  // the answer's body
  };

  void Send() {
    const uint64_t id = ++last_id_;
    CountSent();
    if (under_way_.size() >= kUnderWayMax) return CountFailed(StrCat(kUnderWayMax, " requests are under way"));
    UnderWay& request = under_way_[id];
    request.begin_ns = clock_.SteadyNs();
    net::HttpClient& client = *clients_[rng_.Below(clients_.size())];
    request.exchange = client.Open(DrawRequest(options_, rng_), {.total_max = kRequestMax},
                                   [this, id](const StatusOr<net::HttpResponseHead>& head) { OnHead(id, head); });
  }

  void OnHead(uint64_t id, const StatusOr<net::HttpResponseHead>& head) {
    if (!head.ok()) return Fail(id, head.status().ToString());
    if (head->status != 200) return Fail(id, StrCat("status ", head->status));
    ReadOn(id);
  }

  void ReadOn(uint64_t id) {
    under_way_[id].exchange->Read([this, id](const StatusOr<Bytes>& piece) { OnPiece(id, piece); });
  }

  void OnPiece(uint64_t id, const StatusOr<Bytes>& piece) {
    if (!piece.ok()) return Fail(id, piece.status().ToString());
    UnderWay& request = under_way_[id];
    if (piece->view().empty()) return Finish(id);
    if (!std::exchange(request.has_begun, true)) CountFirstByte(clock_.SteadyNs() - request.begin_ns);
    ReadOn(id);
  }

  void Finish(uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_) {
    under_way_.erase(id);
    const MutexLock lock(mutex_);
    ++stats_.answered;
  }
  void Fail(uint64_t id, std::string problem) {
    under_way_.erase(id);
    CountFailed(std::move(problem));
  }
  void CountFailed(std::string problem) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    ++stats_.failed;
    stats_.last_problem = std::move(problem);
  }
  void CountSent() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    ++stats_.sent;
  }
  void CountFirstByte(int64_t ttft_ns) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    ttft_.Record(ttft_ns);
  }

  net::Loop& loop_;
  const Clock& clock_;
  const TrafficOptions options_;
  Rng rng_;
  std::vector<std::unique_ptr<net::HttpClient>> clients_;
  absl::flat_hash_map<uint64_t, UnderWay> under_way_;
  uint64_t last_id_ = 0;
  net::Timer next_;

  mutable Mutex mutex_;
  TrafficStats stats_ ABSL_GUARDED_BY(mutex_);
  tracegen::LatencyHistogram ttft_ ABSL_GUARDED_BY(mutex_);
};

StatusOr<std::unique_ptr<Traffic>> Traffic::Start(net::Loop& loop, const Clock& clock, TrafficOptions options) {
  auto state = std::make_shared<State>(loop, clock, std::move(options));
  RETURN_IF_ERROR(net::RunOn(loop, [&] {
    Status connected = state->Connect();
    if (connected.ok()) state->AwaitNext();
    return connected;
  }));
  return std::unique_ptr<Traffic>(new Traffic(std::move(state)));
}

Traffic::Traffic(std::shared_ptr<State> state) : state_(std::move(state)) {}

Traffic::~Traffic() {
  net::RunOn(state_->loop(), [this] { state_->End(); });
}

TrafficStats Traffic::stats() const {
  return state_->stats();
}

}  // namespace spanloom::cli::demo
