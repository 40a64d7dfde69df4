// SPDX-License-Identifier: Apache-2.0

#include "cli/store/server_control.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/text.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/waiting_request.h"

namespace spanloom::cli::store {
namespace {

constexpr std::chrono::hours kPatience{24};  // merging is slow, so as not to be in anybody's way

StatusOr<net::HttpResponse> Post(const std::string& endpoint, std::string_view verb, std::string_view query) {
  net::LoopPool loops(1);
  net::HttpRequest request;
  request.method = "POST";
  request.path = StrCat("/", verb);
  request.query = query;
  return net::SendAndWait(loops.At(0), {.endpoint = endpoint, .tls = std::nullopt}, std::move(request), kPatience);
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
