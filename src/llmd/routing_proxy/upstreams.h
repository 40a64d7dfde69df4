// SPDX-License-Identifier: Apache-2.0
//
// One loop's connections to model servers: those of this pod, and the prefill pods that were asked lately.

#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/status.h"
#include "llmd/routing_proxy/proxy_options.h"
#include "net/client.h"
#include "net/loop.h"

namespace spanloom::llmd::routing_proxy {

// A server that requests are sent to. The client lives as long as a request uses it, also after it was forgotten.
struct Upstream {
  std::string target;  // "host:port"
  bool is_tls = false;
  std::shared_ptr<net::HttpClient> client;  // shared with the legs under way
};

// Sequence-bound: its loop.
class Upstreams {
 public:
  // `options` must outlive it. Reads certificates, which blocks. Errors: those of net::HttpClient::Create.
  static StatusOr<std::unique_ptr<Upstreams>> Create(net::Loop& loop, const ProxyOptions& options);

  // The model server's rank.
  [[nodiscard]] const Upstream& Decoder(size_t rank) const { return decoders_[rank]; }

  // A prefill pod. The one that was not asked for the longest time is forgotten when there are too many.
  StatusOr<Upstream> Prefiller(const std::string& target);

  // The bootstrap server of a prefill pod, always in cleartext.
  StatusOr<Upstream> Bootstrap(const std::string& target);

  [[nodiscard]] net::Loop& loop() const { return loop_; }

 private:
  Upstreams(net::Loop& loop, const ProxyOptions& options) : loop_(loop), options_(options) {}
  // Read at the start and shared by all clients of a kind: a new prefill pod must not hold up the loop. Null:
  // cleartext.
  using Tls = std::shared_ptr<net::TlsCredentials>;
  static StatusOr<Tls> ReadTls(const std::optional<net::TlsClientOptions>& options, std::string name);

  StatusOr<Upstream> Make(const std::string& target, const Tls& tls) const;
  StatusOr<Upstream> Find(std::string key, const std::string& target, const Tls& tls);

  using Recent = std::list<std::pair<std::string, Upstream>>;

  net::Loop& loop_;
  const ProxyOptions& options_;
  Tls prefiller_tls_;
  std::vector<Upstream> decoders_;  // [data_parallel_size]
  Recent recent_;                   // the last asked first
  std::unordered_map<std::string, Recent::iterator> by_key_;
};

}  // namespace spanloom::llmd::routing_proxy
