// SPDX-License-Identifier: Apache-2.0
//
// What a routing proxy is told: where its model server is, how prefill pods are reached, and its limits. The flags that
// these come from are in app/routing_proxy_flags.h.

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "llmd/routing_proxy/connector.h"
#include "net/tls.h"

namespace spanloom::llmd::routing_proxy {

struct ProxyOptions {
  std::string listen_host = {};  // "": all addresses
  uint16_t port = 8000;          // 0: a free one. Rank N of several listens on port + N
  std::optional<net::TlsServerOptions> tls = {};

  std::string decoder_host = "localhost";
  uint16_t decoder_port = 8001;  // rank N: decoder_port + N
  std::optional<net::TlsClientOptions> decoder_tls = {};
  size_t data_parallel_size = 1;  // ranks of the model server
  std::string pod_ip = {};        // of headers that name a rank: "POD_IP:PORT"

  Connector connector = Connector::kNixlV2;
  std::optional<net::TlsClientOptions> prefiller_tls = {};
  bool samples_prefillers = false;               // true: by chance among those that a header names; false: the first
  size_t prefill_retries_max = 0;                // after 502, 503, 504 and pods that are not there
  std::chrono::milliseconds retry_backoff{200};  // before each
  bool falls_back = true;                    // a prefill that failed is left to decode; false: its error is answered
  std::chrono::milliseconds prefill_max{0};  // from its request to its whole answer; 0: no limit
  uint16_t sglang_bootstrap_port = 8998;
  uint16_t mooncake_bootstrap_port = 8998;

  size_t body_bytes_max = 64 << 20;          // of a request that takes two legs: 413; guess, images are in it
  size_t held_bytes_max = 1UL << 30;         // of such bodies at once: 503; guess
  size_t answer_bytes_max = 16 << 20;        // of a prefill answer: one token and where its blocks are; guess
  size_t connections_per_host_max = 16'384;  // of each loop; guess, a connection a stream
  size_t prefillers_max = 256;  // whose connections a loop keeps; llm-d keeps those of 16, pools are larger; guess
};

inline constexpr std::chrono::milliseconds kConnectMax{5'000};  // to a pod that says nothing; guess
// Below the 5 s after which vLLM's server (uvicorn) closes a connection that is idle, so that no request meets that.
inline constexpr std::chrono::milliseconds kUpstreamIdleMax{4'000};

}  // namespace spanloom::llmd::routing_proxy
