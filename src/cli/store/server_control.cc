// SPDX-License-Identifier: Apache-2.0

#include "cli/store/server_control.h"

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "net/client.h"
#include "net/loop.h"

namespace spanloom::cli::store {
namespace {

constexpr std::chrono::hours kPatience{24};  // merging is slow, so as not to be in anybody's way

StatusOr<net::HttpResponse> Post(const std::string& endpoint, std::string_view verb, std::string_view query) {
  net::LoopPool loops(1);
  net::Loop& loop = loops.At(0);
  std::unique_ptr<net::HttpClient> client;
  std::optional<StatusOr<net::HttpResponse>> answer;
  Notification answered;
  loop.Post([&] {
    auto created = net::HttpClient::Create(loop, {.endpoint = endpoint, .tls = std::nullopt});
    if (!created.ok()) {
      answer = created.status();
      return answered.Notify();
    }
    client = *std::move(created);
    net::HttpRequest request;
    request.method = "POST";
    request.path = StrCat("/", verb);
    request.query = query;
    client->Send(std::move(request), kPatience, [&](StatusOr<net::HttpResponse> response) {
      answer = std::move(response);
      answered.Notify();
    });
  });
  answered.Wait();
  Notification closed;
  loop.Post([&] {
    client = nullptr;
    closed.Notify();
  });
  closed.Wait();
  return *std::move(answer);
}

}  // namespace

std::string ControlEndpoint(const std::string& directory) {
  return StrCat("unix:", std::filesystem::absolute(directory).lexically_normal().string(), "/control.sock");
}

StatusOr<std::string> AskServer(const std::string& directory, std::string_view verb, std::string_view query) {
  const StatusOr<net::HttpResponse> response = Post(ControlEndpoint(directory), verb, query);
  if (!response.ok()) {
    return absl::UnavailableError(
        StrCat("the process that has ", directory, " does not answer: ", response.status().message()));
  }
  const std::string text(response->body.view());
  if (response->status == 200) return text;
  return absl::UnavailableError(StrCat("the server answers ", response->status, ": ", text));
}

}  // namespace spanloom::cli::store
