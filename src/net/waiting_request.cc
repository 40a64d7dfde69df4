// SPDX-License-Identifier: Apache-2.0

#include "net/waiting_request.h"

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "net/loop_call.h"

namespace spanloom::net {

StatusOr<HttpResponse> SendAndWait(Loop& loop, HttpClientOptions options, HttpRequest request,
                                   std::chrono::milliseconds deadline, const std::stop_token& stop) {
  std::unique_ptr<HttpClient> client;  // bound to the loop
  StatusOr<HttpResponse> answer = absl::UnknownError("");
  Notification answered;
  RunOn(loop, [&] {
    auto created = HttpClient::Create(loop, std::move(options));
    if (!created.ok()) {
      answer = created.status();
      return answered.Notify();
    }
    client = *std::move(created);
    client->Send(std::move(request), deadline, [&](StatusOr<HttpResponse> response) {
      answer = std::move(response);
      answered.Notify();
    });
  });
  {
    // Fails what is under way.
    const std::stop_callback on_stop(stop, [&] { loop.Post([&] { client.reset(); }); });
    answered.Wait();
  }
  RunOn(loop, [&] { client.reset(); });
  return answer;
}

}  // namespace spanloom::net
