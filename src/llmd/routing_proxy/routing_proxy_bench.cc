// SPDX-License-Identifier: Apache-2.0
//
// What the proxy costs: CPU of its loop a request and a forwarded event, between clients and model servers that run on
// loops of their own. Every answer is looked at.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <time.h>

#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "llmd/routing_proxy/routing_proxy.h"
#include "llmd/testing/fake_model_server.h"
#include "net/testing/net_fixture.h"
#include "sdk/span_record.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::string_view kPath = "/v1/chat/completions";
constexpr size_t kPromptBytes = 8 << 10;

// Takes spans, and throws them away.
class NoSink final : public sdk::SpanSink {
 public:
  void Take(std::unique_ptr<sdk::SpanRecord>) override {}
};

std::string Event(int number) {
  std::string event = StrCat("data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"delta\":{\"content\":\"", number, "\"}}]");
  event.resize(211, ' ');
  return StrCat(event, "}\n\n");
}

class Bench {
 public:
  // `decoder_port`: of another decode server; 0: one that answers with `events` at once.
  explicit Bench(int events, uint16_t decoder_port = 0) {
    ConfigureLog(LogFormat::kText, LogLevel::kError);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);  // as app/main.cc has it
    mallopt(M_TOP_PAD, 8 << 20);
    std::string answer;
    for (int i = 0; i < events; ++i) answer += Event(i);
    prefiller_ = std::make_unique<FakeModelServer>(servers_, [](const auto&) {
      return JsonAnswer(StrCat("{\"kv_transfer_params\":{\"remote_block_ids\":[", std::string(400, '1'), "]}}"));
    });
    decoder_ = std::make_unique<FakeModelServer>(servers_, [answer](const auto&) { return EventAnswer(answer); });
    ProxyOptions options;
    options.listen_host = "127.0.0.1";
    options.port = 0;
    options.decoder_host = "127.0.0.1";
    options.decoder_port = decoder_port == 0 ? decoder_->port() : decoder_port;
    auto proxy = RoutingProxy::Create(
        options,
        {.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .tracer = tracer_, .allow_list = allow_all_});
    CHECK(proxy.ok());
    proxy_ = *std::move(proxy);
  }

  [[nodiscard]] std::string Request(bool has_prefill) const {
    const std::string body =
        StrCat("{\"stream\":true,\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"",
               std::string(kPromptBytes, 'p'), "\"}]}");
    const std::string header = has_prefill ? StrCat("x-prefiller-host-port: ", prefiller_->target(), "\r\n") : "";
    return StrCat("POST ", kPath, " HTTP/1.1\r\nHost: x\r\n", header, "Content-Length: ", body.size(), "\r\n\r\n",
                  body);
  }

  // CPU that the proxy's loop has used.
  int64_t CpuNs() {
    return net::RunOn(loops_.At(0), [] {
      timespec now{};
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
      return now.tv_sec * 1'000'000'000 + now.tv_nsec;
    });
  }

  [[nodiscard]] uint16_t port() const { return proxy_->port(); }

 private:
  NoSink sink_;
  const sdk::Tracer tracer_{sdk::Sampler::AlwaysOn(), Clock::System(), Rng(1), sink_};
  const AllowAll allow_all_;
  MetricRegistry metrics_;
  net::LoopPool servers_{1};
  net::LoopPool loops_{1};
  std::unique_ptr<FakeModelServer> prefiller_;
  std::unique_ptr<FakeModelServer> decoder_;
  std::unique_ptr<RoutingProxy> proxy_;
};

// Sixteen clients at once, each with one request after the other. Arguments: whether there is a prefill leg; events of
// an answer, which come as fast as they can.
void BM_Requests(benchmark::State& state) {
  constexpr size_t kClients = 16;
  const auto events = static_cast<int>(state.range(1));
  Bench bench(events);
  const std::string request = bench.Request(state.range(0) != 0);
  const std::string last = StrCat("\"content\":\"", events - 1, "\"");
  std::vector<std::unique_ptr<net::RawPeer>> clients;
  for (size_t i = 0; i < kClients; ++i) clients.push_back(std::make_unique<net::RawPeer>(bench.port()));
  int64_t requests = 0;
  const int64_t begin_ns = bench.CpuNs();
  for ([[maybe_unused]] auto iteration : state) {
    for (const auto& client : clients) CHECK(client->Send(request));
    for (const auto& client : clients) {
      const std::string answer = client->ReadUntil("0\r\n\r\n");
      CHECK(answer.find(last) != std::string::npos);
    }
    requests += kClients;
  }
  const auto cpu_ns = static_cast<double>(bench.CpuNs() - begin_ns);
  state.counters["cpu_us_per_request"] = cpu_ns / 1e3 / static_cast<double>(requests);
  state.counters["events_per_cpu_s"] = static_cast<double>(requests) * events / (cpu_ns / 1e9);
  state.SetItemsProcessed(requests);
}
BENCHMARK(BM_Requests)->ArgNames({"prefill", "events"})->Args({0, 1})->Args({1, 1})->Args({1, 512})->UseRealTime();

// Keeps the answers that it begins, so that the benchmark writes them.
class StreamServer {
 public:
  explicit StreamServer(net::LoopPool& loops) {
    net::ServerOptions options;
    options.name = "streams";
    options.endpoint = "127.0.0.1:0";
    options.http_stream = [this](net::HttpRequest, net::HttpBodyReader, net::HttpResponder responder) {
      net::HttpResponse head;
      head.headers.Add("content-type", "text/event-stream");
      writers_.push_back(std::move(responder).Stream(std::move(head)));  // on the one loop that there is
    };
    server_ = net::StartServer(loops, metrics_, std::move(options));
  }
  [[nodiscard]] uint16_t port() const { return server_->port(); }
  [[nodiscard]] std::vector<net::HttpBodyWriter>& writers() { return writers_; }

 private:
  MetricRegistry metrics_;
  std::vector<net::HttpBodyWriter> writers_;
  std::unique_ptr<net::Server> server_;
};

// Many streams, each of which gets one event at a time.
void BM_PacedEvents(benchmark::State& state) {
  const auto streams = static_cast<size_t>(state.range(0));
  net::LoopPool servers(1);
  StreamServer server(servers);
  Bench bench(1, server.port());
  const std::string request = bench.Request(false);
  std::vector<std::unique_ptr<net::RawPeer>> clients;
  for (size_t i = 0; i < streams; ++i) {
    clients.push_back(std::make_unique<net::RawPeer>(bench.port()));
    CHECK(clients.back()->Send(request));
    CHECK(clients.back()->ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  }
  const Bytes event(Event(1));
  const int64_t begin_ns = bench.CpuNs();
  int64_t events = 0;
  for ([[maybe_unused]] auto iteration : state) {
    net::RunOn(servers.At(0), [&] {
      for (net::HttpBodyWriter& writer : server.writers())
        writer.Write(event, [](const Status& status) { CHECK(status.ok()); });
      return true;
    });
    for (const auto& client : clients) CHECK(client->ReadUntil("}\n\n\r\n").find("chatcmpl-1") != std::string::npos);
    events += static_cast<int64_t>(streams);
  }
  const auto cpu_ns = static_cast<double>(bench.CpuNs() - begin_ns);
  state.counters["events_per_cpu_s"] = static_cast<double>(events) / (cpu_ns / 1e9);
  state.SetItemsProcessed(events);
  net::RunOn(servers.At(0), [&] { return server.writers().clear(), true; });
}
BENCHMARK(BM_PacedEvents)->ArgName("streams")->Arg(500)->UseRealTime();

}  // namespace
}  // namespace spanloom::llmd::routing_proxy

BENCHMARK_MAIN();
