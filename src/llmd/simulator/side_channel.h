// SPDX-License-Identifier: Apache-2.0
//
// What prefill and decode engines say to each other past the proxy: that blocks were fetched, and need be kept no
// longer. A stand-in for NIXL's side channel, over HTTP: POST /release?request=ID, answered 200, or 404 if nothing is
// kept.

#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>

#include <chrono>
#include <memory>
#include <string>

#include "llmd/simulator/engine_host.h"
#include "llmd/wire/kv_transfer_params.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::llmd::simulator {

// Thread-safe but for Create and the destructor, which are for a thread that is not a loop's.
class SideChannel {
 public:
  // Listens at `endpoint`, "" to ask only. Errors: those of net::Server::Create. The rest must outlive it.
  static StatusOr<std::unique_ptr<SideChannel>> Create(const std::string& endpoint, net::LoopPool& loops,
                                                       MetricRegistry& metrics, EngineHost& engine);
  ~SideChannel();

  // The port it listens at; 0: none.
  [[nodiscard]] uint16_t port() const { return server_ == nullptr ? 0 : server_->port(); }

  // Fetches the blocks that `params` name, which the other engine then lets go. `done` is told, on any loop, whether
  // they were there; false also if the engine can't be reached within a second.
  void Fetch(const wire::KvTransferParams& params, absl::AnyInvocable<void(bool)> done);

  // Waits at a prefill server's bootstrap server for the blocks under `name`. `engine` is that server's, "" if it may
  // be any. `done` is told as above; false also if they are not there within kMeetingNs.
  void Meet(const std::string& bootstrap, const std::string& name, const std::string& engine,
            absl::AnyInvocable<void(bool)> done);

 private:
  SideChannel(net::Loop& loop, EngineHost& engine) : loop_(loop), engine_(engine) {}
  void Answer(const net::HttpRequest& request, net::HttpResponder responder);
  void Ask(const std::string& endpoint, net::HttpRequest request, std::chrono::milliseconds time_max,
           absl::AnyInvocable<void(bool)> done);
  StatusOr<net::HttpClient*> ClientFor(const std::string& endpoint);

  net::Loop& loop_;
  EngineHost& engine_;
  absl::flat_hash_map<std::string, std::unique_ptr<net::HttpClient>> clients_;  // by endpoint; bound to loop_
  std::unique_ptr<net::Server> server_;                                         // null: asks only
};

// How prefill's engine calls the sequence `id` of a request to others, and back; 0 if `remote_id` is no such name.
[[nodiscard]] std::string RemoteRequestId(std::string_view request_id, SequenceId id);
[[nodiscard]] SequenceId SequenceOf(std::string_view remote_id);

}  // namespace spanloom::llmd::simulator
