// SPDX-License-Identifier: Apache-2.0
//
// A request whose sender waits for the answer, over a connection of its own: for what a program asks, or reads at its
// start.

#pragma once

#include <chrono>
#include <stop_token>

#include "base/status.h"
#include "net/client.h"
#include "net/loop.h"

namespace spanloom::net {

// Sends `request` to the endpoint that `options` name and waits for the whole answer, at most `deadline`. Errors: those
// of HttpClient::Create and HttpClient::Send; kCancelled soon after `stop`. Not to be called on a loop's thread.
StatusOr<HttpResponse> SendAndWait(Loop& loop, HttpClientOptions options, HttpRequest request,
                                   std::chrono::milliseconds deadline, const std::stop_token& stop = {});

}  // namespace spanloom::net
