// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/side_channel.h"

#include <absl/strings/numbers.h>

#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "kube/resource.h"
#include "llmd/simulator/meetings.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr std::chrono::milliseconds kFetchMax{1'000};  // guess
constexpr std::chrono::milliseconds kMeetMax{kMeetingNs / 1'000'000};
constexpr size_t kConnectionsMax = 1'024;  // to one engine: who waits for blocks has one; guess
constexpr size_t kEnginesMax = 256;        // that connections are kept to; guess
constexpr std::string_view kPath = "/release";

}  // namespace

std::string RemoteRequestId(std::string_view request_id, SequenceId id) {
  return StrCat(request_id, "-", absl::Hex(id, absl::kZeroPad8));
}

SequenceId SequenceOf(std::string_view remote_id) {
  SequenceId id = 0;
  const std::string_view digits = remote_id.substr(remote_id.rfind('-') + 1);
  return absl::SimpleHexAtoi(AbslView(digits), &id) ? id : 0;
}

StatusOr<std::unique_ptr<SideChannel>> SideChannel::Create(const std::string& endpoint, net::LoopPool& loops,
                                                           MetricRegistry& metrics, EngineHost& engine) {
  std::unique_ptr<SideChannel> channel(new SideChannel(loops.At(0), engine));
  if (endpoint.empty()) return channel;
  net::ServerOptions options;
  options.name = "side_channel";
  options.endpoint = endpoint;
  options.http = [channel = channel.get()](const net::HttpRequest& request, net::HttpResponder responder) {
    channel->Answer(request, std::move(responder));
  };
  ASSIGN_OR_RETURN(channel->server_, net::Server::Create(loops, metrics, std::move(options)));
  return channel;
}

SideChannel::~SideChannel() {
  if (server_ != nullptr) server_->Stop(std::chrono::milliseconds(0));
  Notification closed;
  loop_.Post([&] {
    clients_.clear();
    closed.Notify();
  });
  closed.Wait();
}

void SideChannel::Answer(const net::HttpRequest& request, net::HttpResponder responder) {
  std::string remote_id;
  for (auto& [name, value] : net::ParseQuery(request.query)) {
    if (name == "request") remote_id = std::move(value);
  }
  if (request.path != kPath || request.method != "POST")
    return std::move(responder).Respond(net::TextResponse(404, "ask POST /release?request=ID\n"));
  engine_.Release(SequenceOf(remote_id), [responder = std::move(responder)](bool was_kept) mutable {
    std::move(responder).Respond(net::TextResponse(was_kept ? 200 : 404, ""));
  });
}

StatusOr<net::HttpClient*> SideChannel::ClientFor(const std::string& endpoint) {
  const auto found = clients_.find(endpoint);
  if (found != clients_.end()) return found->second.get();
  if (clients_.size() >= kEnginesMax) clients_.clear();
  net::HttpClientOptions options;
  options.endpoint = endpoint;
  options.connections_max = kConnectionsMax;
  ASSIGN_OR_RETURN(std::unique_ptr<net::HttpClient> client, net::HttpClient::Create(loop_, std::move(options)));
  return clients_.emplace(endpoint, std::move(client)).first->second.get();
}

void SideChannel::Fetch(const wire::KvTransferParams& params, absl::AnyInvocable<void(bool)> done) {
  net::HttpRequest request;
  request.method = "POST";
  request.path = kPath;
  request.query = StrCat("request=", params.remote_request_id);
  const bool is_v6 = params.remote_host.find(':') != std::string::npos;
  const std::string endpoint =
      StrCat(is_v6 ? StrCat("[", params.remote_host, "]") : params.remote_host, ":", params.remote_port);
  Ask(endpoint, std::move(request), kFetchMax, std::move(done));
}

void SideChannel::Meet(const std::string& bootstrap, const std::string& name, const std::string& engine,
                       absl::AnyInvocable<void(bool)> done) {
  net::HttpRequest request;
  request.method = "POST";
  request.path = "/transfer";
  request.query = StrCat("name=", kube::PercentEncode(name), "&engine=", kube::PercentEncode(engine));
  Ask(bootstrap, std::move(request), kMeetMax, std::move(done));
}

void SideChannel::Ask(const std::string& endpoint, net::HttpRequest request, std::chrono::milliseconds time_max,
                      absl::AnyInvocable<void(bool)> done) {
  request.headers.Add("host", endpoint);
  loop_.Post([this, endpoint, request = std::move(request), time_max, done = std::move(done)]() mutable {
    const StatusOr<net::HttpClient*> client = ClientFor(endpoint);
    if (!client.ok()) return done(false);
    (*client)->Send(std::move(request), time_max,
                    [done = std::move(done)](const StatusOr<net::HttpResponse>& answer) mutable {
                      done(answer.ok() && answer->status == 200);
                    });
  });
}

}  // namespace spanloom::llmd::simulator
