// SPDX-License-Identifier: Apache-2.0

#include "net/detail/server_connection.h"

#include <vector>

namespace spanloom::net {

void ConnectionSet::Add(std::shared_ptr<ServerConnection> connection) {
  ServerConnection& added = *connection;
  connections_.emplace(&added, std::move(connection));
  if (draining_) added.Drain();
}

void ConnectionSet::Remove(ServerConnection& connection) {
  connections_.erase(&connection);
  if (connections_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void ConnectionSet::Drain(Task done) {
  draining_ = true;
  std::vector<std::shared_ptr<ServerConnection>> connections;  // a drained connection may remove itself at once
  for (const auto& [key, connection] : connections_) connections.push_back(connection);
  for (const auto& connection : connections) connection->Drain();
  if (connections_.empty()) return done();
  drained_ = std::move(done);
}

size_t ConnectionSet::CloseAll() {
  size_t requests_cut = 0;
  const auto connections = std::exchange(connections_, {});
  for (const auto& [key, connection] : connections) requests_cut += connection->Close();
  if (drained_) std::exchange(drained_, nullptr)();
  return requests_cut;
}

}  // namespace spanloom::net
