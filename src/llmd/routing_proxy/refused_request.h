// SPDX-License-Identifier: Apache-2.0
//
// A request that is answered with an error before it was sent anywhere.

#pragma once

#include <absl/strings/numbers.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/text.h"
#include "llmd/routing_proxy/proxied_request.h"
#include "llmd/wire/span_names.h"

namespace spanloom::llmd::routing_proxy {

class RefusedRequest final : public ProxiedRequest {
 public:
  struct Refusal {
    net::HttpResponse answer = {};
    std::string error = {};          // of the request span
    std::string message = {};        // of its status
    std::string denied_target = {};  // "": it was not for that
  };
  RefusedRequest(ProxyLoop& loop, Arrival arrival, Refusal refusal)
      : ProxiedRequest(loop, std::move(arrival)), refusal_(std::move(refusal)) {}

 private:
  // Reads a small body before, so that the connection goes on.
  void Begin() override {
    uint64_t bytes = 0;
    const bool is_declared = absl::SimpleAtoi(AbslView(head().headers.Get("content-length")), &bytes);
    if (!is_declared || bytes == 0 || bytes > kSmallBytesMax) return Refuse();
    ReadBody(kSmallBytesMax, [this](const Bytes&) { Refuse(); });
  }
  void Refuse() {
    if (!refusal_.denied_target.empty()) {
      request_span().SetString(wire::span_key::kDeniedTarget, refusal_.denied_target);
    }
    Answer(std::move(refusal_.answer), refusal_.error, refusal_.message);
  }
  void OnFinish(bool) override {}

  Refusal refusal_;
};

}  // namespace spanloom::llmd::routing_proxy
