// SPDX-License-Identifier: Apache-2.0
//
// What is done with a request: by its path, and by the headers that a scheduler gave it.

#pragma once

#include "llmd/routing_proxy/proxied_request.h"
#include "llmd/routing_proxy/proxy_loop.h"

namespace spanloom::llmd::routing_proxy {

// Begins to answer it. On the loop.
void Dispatch(ProxyLoop& loop, Arrival arrival);

// Answers whether requests would be served: 200 if the model server says at /health that it is there, else 503; 503 too
// if `is_draining`.
void AnswerReadiness(ProxyLoop& loop, Arrival arrival, bool is_draining);

}  // namespace spanloom::llmd::routing_proxy
