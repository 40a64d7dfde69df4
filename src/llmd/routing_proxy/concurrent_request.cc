// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/concurrent_request.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "llmd/routing_proxy/error_answer.h"
#include "llmd/routing_proxy/sequences.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::string_view kTransferParams = "kv_transfer_params";
constexpr std::chrono::milliseconds kBootstrapMax{5'000};  // llm-d's
constexpr int64_t kEnginesNs = 30LL * 1'000'000'000;       // that an answer is believed; guess
constexpr size_t kEnginesMax = 256;                        // prefill pods that are known; guess
constexpr size_t kBootstrapBytesMax = 1 << 20;             // guess

// The host of "host:port", brackets kept.
std::string HostPart(const std::string& target) {
  return target.substr(0, target.rfind(':'));
}

std::string Quoted(std::string_view text) {
  std::string json = "\"";
  AppendJsonEscaped(text, json);
  json.push_back('"');
  return json;
}

// What a bootstrap server answers: {"0": {"engine_id": "...", ...}, ...}, by data-parallel rank.
MooncakeEngines ReadEngines(std::string_view answer) {
  MooncakeEngines engines;
  const StatusOr<wire::JsonObject> ranks = wire::JsonObject::Parse(answer);
  if (!ranks.ok()) return engines;
  for (const std::string_view rank : ranks->Keys()) {
    const StatusOr<wire::JsonObject> entry = wire::JsonObject::Parse(*ranks->Find(rank));
    if (!entry.ok()) continue;
    if (const auto id = entry->FindPlainString("engine_id")) engines.id_by_rank.emplace(rank, *id);
  }
  return engines;
}

}  // namespace

std::string ConcurrentRequest::Bootstrap() const {
  const ProxyOptions& options = shared().options;
  const bool is_sglang = options.connector == Connector::kSglang;
  return StrCat(HostPart(target()), ":", is_sglang ? options.sglang_bootstrap_port : options.mooncake_bootstrap_port);
}

void ConcurrentRequest::OnObject() {
  const bool is_sglang = shared().options.connector == Connector::kSglang;  // whose servers count rooms up by sequence
  if (!is_sglang && AsksForSeveralSequences(*api(), object())) return DecodeAlone(kSeveralSequences);
  set_is_concurrent();
  if (is_sglang) return StartSglang();
  FindEngine();
}

void ConcurrentRequest::StartSglang() {
  const auto room = static_cast<int64_t>(loop().rng.Next() >> 1);  // SGLang's are of 63 bits
  request_span().SetInt(wire::span_key::kBootstrapRoom, room);
  const auto edit = [host = Quoted(HostPart(target())), port = shared().options.sglang_bootstrap_port,
                     room](wire::JsonObject& object) {
    object.Set("bootstrap_host", host);
    object.Set("bootstrap_port", StrCat(port));
    object.Set("bootstrap_room", StrCat(room));
  };
  Edited(edit, [this](const Bytes& body) {
    Prefill(body, true);
    if (!is_finished() && !has_fallen_back()) Decode(body);
  });
}

void ConcurrentRequest::FindEngine() {
  const auto known = loop().engines.find(target());
  const bool is_fresh = known != loop().engines.end() && NowNs() - known->second.known_steady_ns < kEnginesNs;
  if (is_fresh) return StartMooncake(known->second);
  AskBootstrap();
}

void ConcurrentRequest::AskBootstrap() {
  StatusOr<Upstream> bootstrap = loop().upstreams->Bootstrap(Bootstrap());
  if (!bootstrap.ok()) return OnEngines(bootstrap.status());
  net::HttpRequest request;
  request.method = "GET";
  request.path = "/query";
  net::HttpStreamOptions options;
  options.total_max = kBootstrapMax;
  query_ =
      std::make_unique<Leg>(shared().tracer, context(), *bootstrap, std::move(request), options,
                            [this](StatusOr<net::HttpResponseHead> head) {
                              if (!head.ok()) return OnEngines(head.status());
                              query_->ReadAll(*std::move(head), kBootstrapBytesMax,
                                              [this](const StatusOr<net::HttpResponse>& answer) { OnEngines(answer); });
                            });
}

void ConcurrentRequest::OnEngines(const StatusOr<net::HttpResponse>& answer) {
  const auto keep = shared_from_this();
  MooncakeEngines engines;
  if (answer.ok() && answer->status == 200) engines = ReadEngines(answer->body.view());
  if (engines.id_by_rank.empty()) {
    const Status failure =
        answer.ok() ? absl::UnavailableError(StrCat(Bootstrap(), " names no engine")) : answer.status();
    return OnPrefillFailed(failure);
  }
  engines.known_steady_ns = NowNs();
  if (loop().engines.size() >= kEnginesMax) loop().engines.clear();
  loop().engines.insert_or_assign(target(), engines);
  StartMooncake(engines);
}

void ConcurrentRequest::StartMooncake(const MooncakeEngines& engines) {
  auto chosen = engines.id_by_rank.begin();
  std::advance(chosen, static_cast<ptrdiff_t>(loop().rng.Below(engines.id_by_rank.size())));
  const std::string transfer = Quoted(StrCat("xfer-", request_id(), "-", loop().rng.Next()));
  const std::string for_prefill =
      StrCat(R"({"do_remote_prefill":false,"do_remote_decode":true,"transfer_id":)", transfer, "}");
  const std::string for_decode = StrCat(
      R"({"do_remote_prefill":true,"do_remote_decode":false,"transfer_id":)", transfer, R"(,"remote_bootstrap_addr":)",
      Quoted(StrCat("http://", Bootstrap())), R"(,"remote_engine_id":)", Quoted(chosen->second), "}");
  const auto prefill = [one_token = OneToken(), for_prefill](wire::JsonObject& object) {
    object.Set(kTransferParams, for_prefill);
    object.Set("stream", "false");
    object.Remove("stream_options");
    one_token(object);
  };
  const auto decode = [for_decode](wire::JsonObject& object) { object.Set(kTransferParams, for_decode); };
  StartBoth(prefill, decode, chosen->first);
}

void ConcurrentRequest::StartBoth(Edit prefill, Edit decode, std::string rank) {
  Edited(std::move(prefill), [this, decode = std::move(decode), rank = std::move(rank)](Bytes body) {
    Prefill(std::move(body), true, rank);
    if (is_finished() || has_fallen_back()) return;
    Edited(decode, [this](Bytes edited) {
      if (!is_finished() && !has_fallen_back()) Decode(std::move(edited));
    });
  });
}

// Decode would wait for blocks that never come, unless it has begun to answer.
void ConcurrentRequest::OnPrefillFailed(StatusOr<net::HttpResponse> answer) {
  if (has_begun_answer()) return;
  DropDecode();
  // An SGLang server that decodes for others can do nothing else.
  if (shared().options.connector == Connector::kSglang) return AnswerWithPrefill(std::move(answer));
  DisaggregatedRequest::OnPrefillFailed(std::move(answer));
}

void ConcurrentRequest::OnFinish(bool is_complete) {
  query_.reset();
  DisaggregatedRequest::OnFinish(is_complete);
}

}  // namespace spanloom::llmd::routing_proxy
