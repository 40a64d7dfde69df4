// SPDX-License-Identifier: Apache-2.0

#include "cli/demo/probe.h"

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "net/client.h"

namespace spanloom::cli::demo {
namespace {

// Shared with the loop, which may answer after the caller has gone on.
struct Question {
  std::unique_ptr<net::HttpClient> client;  // bound to the loop
  Notification answered;
  bool is_ready = false;
};

}  // namespace

bool Answers(net::Loop& loop, const std::string& endpoint, const std::string& path,
             std::chrono::milliseconds patience) {
  const auto question = std::make_shared<Question>();
  loop.Post([&loop, question, endpoint, path, patience] {
    net::HttpClientOptions options;
    options.endpoint = endpoint;
    options.connections_max = 1;
    auto client = net::HttpClient::Create(loop, std::move(options));
    if (!client.ok()) return question->answered.Notify();
    question->client = *std::move(client);
    net::HttpRequest request;
    request.method = "GET";
    request.path = path;
    question->client->Send(std::move(request), patience, [question](const StatusOr<net::HttpResponse>& response) {
      question->is_ready = response.ok() && response->status == 200;
      question->answered.Notify();
    });
  });
  question->answered.Wait();
  loop.Post([question] { question->client.reset(); });
  return question->is_ready;
}

}  // namespace spanloom::cli::demo
