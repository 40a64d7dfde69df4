// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/upstreams.h"

#include "base/text.h"
#include "net/host_port.h"

namespace spanloom::llmd::routing_proxy {

StatusOr<std::unique_ptr<Upstreams>> Upstreams::Create(net::Loop& loop, const ProxyOptions& options) {
  std::unique_ptr<Upstreams> upstreams(new Upstreams(loop, options));
  ASSIGN_OR_RETURN(const Tls decoder_tls, ReadTls(options.decoder_tls, "decoder"));
  ASSIGN_OR_RETURN(upstreams->prefiller_tls_, ReadTls(options.prefiller_tls, "prefiller"));
  for (size_t rank = 0; rank < options.data_parallel_size; ++rank) {
    const auto port = static_cast<uint16_t>(options.decoder_port + rank);
    ASSIGN_OR_RETURN(Upstream decoder, upstreams->Make(net::JoinHostPort(options.decoder_host, port), decoder_tls));
    upstreams->decoders_.push_back(std::move(decoder));
  }
  return upstreams;
}

StatusOr<Upstreams::Tls> Upstreams::ReadTls(const std::optional<net::TlsClientOptions>& options, std::string name) {
  if (!options.has_value()) return nullptr;
  return net::ReadHttpClientTls(*options, std::move(name));
}

StatusOr<Upstream> Upstreams::Make(const std::string& target, const Tls& tls) const {
  net::HttpClientOptions options;
  options.endpoint = target;
  options.shared_tls = tls;
  options.connections_max = options_.connections_per_host_max;
  options.waiting_max = options_.connections_per_host_max;
  options.body_bytes_max = options_.answer_bytes_max;
  options.connect_max = kConnectMax;
  options.idle_max = kUpstreamIdleMax;
  options.backs_off = false;  // every request says whether the server is there now
  ASSIGN_OR_RETURN(std::unique_ptr<net::HttpClient> client, net::HttpClient::Create(loop_, std::move(options)));
  return Upstream{.target = target, .is_tls = tls != nullptr, .client = std::move(client)};
}

StatusOr<Upstream> Upstreams::Find(std::string key, const std::string& target, const Tls& tls) {
  if (const auto known = by_key_.find(key); known != by_key_.end()) {
    recent_.splice(recent_.begin(), recent_, known->second);
    return known->second->second;
  }
  ASSIGN_OR_RETURN(Upstream made, Make(target, tls));
  if (recent_.size() >= options_.prefillers_max) {
    by_key_.erase(recent_.back().first);
    recent_.pop_back();
  }
  recent_.emplace_front(key, made);
  by_key_.emplace(std::move(key), recent_.begin());
  return made;
}

StatusOr<Upstream> Upstreams::Prefiller(const std::string& target) {
  return Find(target, target, prefiller_tls_);
}

StatusOr<Upstream> Upstreams::Bootstrap(const std::string& target) {
  return Find(StrCat("bootstrap ", target), target, nullptr);
}

}  // namespace spanloom::llmd::routing_proxy
