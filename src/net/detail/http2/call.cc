// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http2/call.h"

#include <algorithm>

#include "base/worker_pool.h"

namespace spanloom::net::http2 {
namespace {

// Of the budget that is left, what one stream's window may promise to one client: a quarter; guess.
constexpr size_t kWindowShareOfBudget = 4;

}  // namespace

ServerConnection::Call::Call(ServerConnection& connection, int32_t stream_id)
    : connection_(std::static_pointer_cast<ServerConnection>(connection.shared_from_this())),
      stream_id_(stream_id),
      held_(connection.context().budget) {}

void ServerConnection::Call::WidenWindow(size_t declared_bytes) {
  if (declared_bytes <= kStreamWindowBytes) return;
  const auto connection = connection_.lock();
  if (connection == nullptr) return;
  const size_t affordable = connection->context().budget->available() / kWindowShareOfBudget;
  connection->WidenStreamWindow(stream_id_, std::min(declared_bytes, affordable));
}

bool ServerConnection::Call::OnWorker(ServerConnection& connection, Task work) {
  return connection.context().loops.workers().Submit(std::move(work));
}

}  // namespace spanloom::net::http2
