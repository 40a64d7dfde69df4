// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/exchange.h"

#include "base/check.h"
#include "net/detail/http1/server_connection.h"
#include "net/upgrade.h"

namespace spanloom::net::http1 {
namespace {

Status Gone() {
  return absl::CancelledError("the request has ended");
}

}  // namespace

Exchange::Exchange(ServerConnection& connection)
    : connection_(connection.weak_from_this()), held_(connection.context().budget) {}

// Runs `step` with the connection on its loop: now, if that is where the caller is. If the connection is gone, runs it
// now, with null.
template <typename Step>
void Exchange::OnLoop(Step step) {
  std::shared_ptr<ServerConnection> connection = connection_.lock();
  if (connection == nullptr || connection->loop().IsCurrent()) return step(connection.get());
  Loop& loop = connection->loop();
  loop.Post([self = shared_from_this(), connection = std::move(connection), step = std::move(step)]() mutable {
    step(connection.get());
  });
}

void Exchange::Respond(HttpResponse response) {
  OnLoop([this, response = std::move(response)](ServerConnection* connection) mutable {
    if (connection == nullptr || is_over_) return;
    answer_ = std::move(response);
    has_ended_ = true;
    connection->Wake();
  });
}

void Exchange::Begin(HttpResponse head) {
  OnLoop([this, head = std::move(head)](ServerConnection* connection) mutable {
    if (connection == nullptr || is_over_) return;
    is_switched_ = head.status == kSwitchingProtocols;
    answer_ = std::move(head);
    is_streamed_ = true;
    connection->Wake();
  });
}

void Exchange::Write(Bytes piece, WriteDone done) {
  OnLoop([this, piece = std::move(piece), done = std::move(done)](ServerConnection* connection) mutable {
    if (connection == nullptr || is_over_) return done(Gone());
    CHECK(!write_done_);  // one Write at a time
    if (!is_telling_ && connection->WriteNow(piece)) return Tell(std::move(done));
    piece_ = std::move(piece);
    write_done_ = std::move(done);
    connection->Wake();
  });
}

// A piece that is written from inside `done` takes the way through the connection's coroutine: so a writer that always
// has more does not pile up on the stack.
void Exchange::Tell(WriteDone done) {
  const auto keep = shared_from_this();
  is_telling_ = true;
  done(absl::OkStatus());
  is_telling_ = false;
}

void Exchange::End() {
  OnLoop([this](ServerConnection* connection) {
    if (connection == nullptr || is_over_) return;
    has_ended_ = true;
    connection->Wake();
  });
}

void Exchange::Abort() {
  OnLoop([this](ServerConnection* connection) {
    if (connection == nullptr || is_over_) return;
    is_aborted_ = true;
    connection->Wake();
  });
}

void Exchange::Read(PieceDone done) {
  OnLoop([this, done = std::move(done)](ServerConnection* connection) mutable {
    if (connection == nullptr || is_over_) return done(Gone());
    CHECK(!read_done_);  // one Read at a time
    read_done_ = std::move(done);
    connection->ReadBodyPiece();
  });
}

void Exchange::OnWritten() {
  if (write_done_) std::exchange(write_done_, nullptr)(absl::OkStatus());
}

void Exchange::OnBody(StatusOr<Bytes> piece) {
  if (read_done_) std::exchange(read_done_, nullptr)(std::move(piece));
}

void Exchange::OnAnswered() {
  const auto keep = shared_from_this();
  is_over_ = true;
  cancel_state().Settle();
  held_.Release();
  FailCallbacks();
}

void Exchange::OnClientGone() {
  const auto keep = shared_from_this();
  cancel_state().Cancel();
}

// A streamed answer's writer, or a reader, may still wait.
void Exchange::FailCallbacks() {
  if (read_done_) std::exchange(read_done_, nullptr)(Gone());
  if (write_done_) std::exchange(write_done_, nullptr)(Gone());
}

}  // namespace spanloom::net::http1
