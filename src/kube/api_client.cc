// SPDX-License-Identifier: Apache-2.0

#include "kube/api_client.h"

#include <absl/strings/match.h>

#include <utility>

#include "base/text.h"
#include "kube/api_error.h"
#include "kube/bearer_token.h"
#include "net/client.h"

namespace spanloom::kube {
namespace {

using std::chrono::milliseconds;
using OnBytes = absl::AnyInvocable<void(StatusOr<Bytes>)>;

constexpr int kOk = 200;
constexpr size_t kRefusalBytesMax = 64 << 10;  // of a refusal that comes as a stream; guess
constexpr size_t kConnectionsMax = 32;         // a watch has one each; guess

Status Gone() {
  return absl::CancelledError("the client of the API server was closed");
}

}  // namespace

struct ApiClient::State {
  State(net::LoopPool& pool, net::Loop& own_loop, const Clock& the_clock, ClusterAccess where)
      : loops(pool), loop(own_loop), clock(the_clock), access(std::move(where)), token(pool, own_loop, clock, access) {}

  [[nodiscard]] net::HttpRequest HttpRequestOf(const ApiRequest& request, const std::string& authorization) const {
    net::HttpRequest http;
    http.method = "GET";
    http.path = access.base_path + request.path;
    http.query = request.query;
    http.headers.Add("user-agent", "spanloom");
    http.headers.Add("accept", request.accept);
    if (!authorization.empty()) http.headers.Add("authorization", authorization);
    return http;
  }

  // "GET https://10.96.0.1:443/api/v1/pods".
  [[nodiscard]] std::string WhatIs(const ApiRequest& request) const {
    return StrCat("GET ", access.url(), request.path);
  }

  Status Refusal(int http_status, std::string_view body, const ApiRequest& request) {
    if (http_status == 401) token.Forget();
    return ApiError(http_status, body, WhatIs(request), request.permission);
  }

  net::LoopPool& loops;
  net::Loop& loop;
  const Clock& clock;
  const ClusterAccess access;
  BearerToken token;
  std::unique_ptr<net::HttpClient> http;  // null once the client is gone
};

// Waits for a token, then for the head of the answer, then passes pieces on.
class ApiStream::State : public std::enable_shared_from_this<ApiStream::State> {
 public:
  State(std::shared_ptr<ApiClient::State> client, ApiRequest request, StreamLimits limits,
        absl::AnyInvocable<void()> on_open)
      : client_(std::move(client)), request_(std::move(request)), limits_(limits), on_open_(std::move(on_open)) {}

  void Begin() {
    client_->token.Get(
        [self = shared_from_this()](const StatusOr<std::string>& authorization) { self->Open(authorization); });
  }

  void Read(OnBytes done) {
    if (!end_.ok()) return done(end_);
    done_ = std::move(done);
    if (is_open_) ReadPiece();
  }

  void Close() {
    is_closed_ = true;
    done_ = nullptr;
    on_open_ = nullptr;
    exchange_.reset();
  }

 private:
  void Open(const StatusOr<std::string>& authorization) {
    if (is_closed_) return;
    if (!authorization.ok()) return End(authorization.status());
    if (client_->http == nullptr) return End(Gone());
    const net::HttpStreamOptions options = {
        .total_max = limits_.total_max, .first_byte_max = milliseconds(kAnswerMax), .between_max = limits_.silence_max};
    exchange_ = client_->http->Open(client_->HttpRequestOf(request_, *authorization), options,
                                    [this](const StatusOr<net::HttpResponseHead>& head) { OnHead(head); });
  }

  void OnHead(const StatusOr<net::HttpResponseHead>& head) {
    if (!head.ok()) return End(Annotate(head.status(), client_->WhatIs(request_)));
    http_status_ = head->status;
    if (http_status_ != kOk) return ReadRefusal();
    is_open_ = true;
    if (on_open_ != nullptr) on_open_();
    if (done_ != nullptr) ReadPiece();
  }

  void ReadPiece() {
    exchange_->Read([this](StatusOr<Bytes> piece) {
      if (!piece.ok()) return End(Annotate(piece.status(), client_->WhatIs(request_)));
      std::exchange(done_, nullptr)(std::move(piece));
    });
  }

  void ReadRefusal() {
    exchange_->Read([this](const StatusOr<Bytes>& piece) {
      if (piece.ok()) refusal_ += piece->view();
      const bool is_over = !piece.ok() || piece->empty() || refusal_.size() > kRefusalBytesMax;
      if (!is_over) return ReadRefusal();
      End(client_->Refusal(http_status_, refusal_, request_));
    });
  }

  void End(Status status) {
    end_ = std::move(status);
    if (done_ != nullptr) std::exchange(done_, nullptr)(end_);
  }

  const std::shared_ptr<ApiClient::State> client_;  // shared with its other requests
  const ApiRequest request_;
  const StreamLimits limits_;
  absl::AnyInvocable<void()> on_open_;
  std::unique_ptr<net::HttpExchange> exchange_;
  OnBytes done_;  // of a Read that is not answered
  int http_status_ = 0;
  std::string refusal_;
  Status end_;  // OK: it goes on
  bool is_open_ = false;
  bool is_closed_ = false;
};

ApiStream::ApiStream(std::shared_ptr<State> state) : state_(std::move(state)) {}

ApiStream::~ApiStream() {
  state_->Close();
}

void ApiStream::Read(OnBytes done) {
  state_->Read(std::move(done));
}

StatusOr<std::unique_ptr<ApiClient>> ApiClient::Create(net::LoopPool& loops, net::Loop& loop, const Clock& clock,
                                                       ClusterAccess access) {
  net::HttpClientOptions options;
  options.endpoint = access.endpoint;
  options.tls = access.tls;
  options.connections_max = kConnectionsMax;
  options.body_bytes_max = kAnswerBytesMax;
  auto state = std::make_shared<State>(loops, loop, clock, std::move(access));
  auto http = net::HttpClient::Create(loop, std::move(options));
  if (!http.ok()) return Annotate(http.status(), state->access.url());
  state->http = *std::move(http);
  return std::unique_ptr<ApiClient>(new ApiClient(std::move(state)));
}

ApiClient::~ApiClient() {
  state_->http.reset();
}

void ApiClient::Get(ApiRequest request, OnBytes done) {
  state_->token.Get([state = state_, request = std::move(request),
                     done = std::move(done)](const StatusOr<std::string>& authorization) mutable {
    if (!authorization.ok()) return done(authorization.status());
    if (state->http == nullptr) return done(Gone());
    net::HttpRequest http = state->HttpRequestOf(request, *authorization);
    state->http->Send(
        std::move(http), milliseconds(kAnswerMax),
        [state, request = std::move(request), done = std::move(done)](StatusOr<net::HttpResponse> response) mutable {
          if (!response.ok()) return done(Annotate(response.status(), state->WhatIs(request)));
          if (response->status == kOk) return done(std::move(response->body));
          done(state->Refusal(response->status, response->body.view(), request));
        });
  });
}

std::unique_ptr<ApiStream> ApiClient::Open(ApiRequest request, StreamLimits limits,
                                           absl::AnyInvocable<void()> on_open) {
  auto state = std::make_shared<ApiStream::State>(state_, std::move(request), limits, std::move(on_open));
  state->Begin();
  return std::make_unique<ApiStream>(std::move(state));
}

net::LoopPool& ApiClient::loops() const {
  return state_->loops;
}

net::Loop& ApiClient::loop() const {
  return state_->loop;
}

const Clock& ApiClient::clock() const {
  return state_->clock;
}

std::string ApiClient::url() const {
  return state_->access.url();
}

}  // namespace spanloom::kube
