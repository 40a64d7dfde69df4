// SPDX-License-Identifier: Apache-2.0
//
// The bytes of one connection, whatever carries them, for HTTP/1.1 and HTTP/2 at either end. HTTP/2 reads and writes by
// hand (ReadSome, WriteSome); Beast uses the asynchronous functions, whose names are Asio's.

#pragma once

#include <array>
#include <boost/asio/compose.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/detail/asio.h"
#include "net/detail/tls_session.h"

namespace spanloom::net {

// A connected stream: TCP or a unix socket, and perhaps TLS on it. Sequence-bound: its loop. Movable while no operation
// is under way. Not to be destroyed before the operations under way have ended; Close ends them.
class Transport {
 public:
  using executor_type = Socket::executor_type;

  // Takes over a socket that is connected. With `tls` nothing but Handshake may be called before that has succeeded.
  explicit Transport(Socket socket, std::unique_ptr<TlsSession> tls = nullptr);

  [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }

  // The handshake of TLS; without TLS there is nothing to do. Cancel and Close end it.
  asio::awaitable<error_code> Handshake();

  // Why the handshake failed, for people.
  [[nodiscard]] std::string HandshakeFailure(const error_code& error) const;

  // What the peer has shown in the handshake; null without TLS, or if it has shown nothing that was verified.
  [[nodiscard]] std::shared_ptr<const PeerCertificate> peer_certificate() const {
    return tls_ == nullptr ? nullptr : tls_->peer_certificate();
  }

  // Reads what has arrived. Errors: would_block if nothing has, eof at the end.
  size_t ReadSome(asio::mutable_buffer buffer, error_code& error) {
    return tls_ == nullptr ? socket_.read_some(buffer, error) : tls_->Read(buffer, error);
  }

  // Whether `error`, of reading, is the peer's end, for protocols that tell by themselves whether they were cut:
  // without TLS's own notice too, which many leave out.
  [[nodiscard]] bool IsEnd(const error_code& error) const {
    return error == asio::error::eof || (error && tls_ != nullptr && tls_->is_cut());
  }

  // Writes what can be written of one buffer or several. Error: would_block if that is nothing; then the same bytes
  // must come again.
  template <typename Buffers>
  size_t WriteSome(const Buffers& buffers, error_code& error) {
    if (tls_ != nullptr) return WriteJoined(buffers, error);
    if (asio::buffer_size(buffers) > kCopiedBytes) return socket_.write_some(buffers, error);
    std::array<char, kCopiedBytes> joined;
    return socket_.write_some(asio::buffer(joined, asio::buffer_copy(asio::buffer(joined), buffers)), error);
  }

  // Completes with an error_code when ReadSome (WriteSome) is worth calling; of TLS it may still say would_block.
  template <typename Token>
  auto WaitRead(Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) { this->StartWait(Direction::kRead, std::move(handler)); }, token);
  }
  template <typename Token>
  auto WaitWrite(Token&& token) {
    return asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) { this->StartWait(Direction::kWrite, std::move(handler)); }, token);
  }

  // Asio's AsyncReadStream and AsyncWriteStream.
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this](auto handler, const Buffers& target) {
          if (tls_ == nullptr) return socket_.async_read_some(target, std::move(handler));
          StartTransfer(Direction::kRead, target, std::move(handler));
        },
        token, buffers);
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return asio::async_initiate<Token, void(error_code, size_t)>(
        [this](auto handler, const Buffers& source) {
          if (tls_ == nullptr) return socket_.async_write_some(source, std::move(handler));
          StartTransfer(Direction::kWrite, source, std::move(handler));
        },
        token, buffers);
  }

  // Tells the peer that nothing more will be sent.
  void ShutdownSend();

  // Ends the operations under way with operation_aborted.
  void Cancel();

  // Cancels, and closes the socket. Idempotent.
  void Close();

 private:
  enum class Direction { kRead, kWrite };
  template <typename Buffers>
  struct TransferOp;

  // Up to here a copy costs less than telling the kernel of several buffers; measured: 3 % of a forwarded event.
  static constexpr size_t kCopiedBytes = 1 << 10;

  // Half an encrypted record of the largest size; pieces of a write that are smaller are joined into one.
  static constexpr size_t kJoinedBytes = 8 << 10;  // guess

  [[nodiscard]] Socket::wait_type WaitType(Direction direction) const {
    const bool reads =
        tls_ == nullptr ? direction == Direction::kRead
                        : (direction == Direction::kRead ? tls_->read_wait() : tls_->write_wait()) == SocketWait::kRead;
    return reads ? Socket::wait_read : Socket::wait_write;
  }

  template <typename Handler>
  void StartWait(Direction direction, Handler handler) {
    if (direction == Direction::kRead && tls_ != nullptr && tls_->HasUnread()) {
      asio::post(get_executor(), [handler = std::move(handler)]() mutable { handler(error_code()); });
      return;
    }
    socket_.async_wait(WaitType(direction), std::move(handler));
  }

  template <typename Buffers, typename Handler>
  void StartTransfer(Direction direction, const Buffers& buffers, Handler handler) {
    asio::async_compose<Handler, void(error_code, size_t)>(TransferOp<Buffers>{*this, direction, buffers}, handler,
                                                           socket_);
  }

  // One step of a transfer over TLS.
  template <typename Buffers>
  size_t Transfer(Direction direction, const Buffers& buffers, error_code& error) {
    if constexpr (std::is_convertible_v<decltype(*asio::buffer_sequence_begin(buffers)), asio::mutable_buffer>) {
      if (direction == Direction::kRead) {
        for (auto i = asio::buffer_sequence_begin(buffers); i != asio::buffer_sequence_end(buffers); ++i) {
          const asio::mutable_buffer buffer = *i;
          if (buffer.size() > 0) return tls_->Read(buffer, error);
        }
        error = {};
        return 0;
      }
    }
    return WriteJoined(buffers, error);
  }

  template <typename Buffers>
  size_t WriteJoined(const Buffers& buffers, error_code& error) {
    const asio::const_buffer first = *asio::buffer_sequence_begin(buffers);
    if (first.size() >= kJoinedBytes || first.size() == asio::buffer_size(buffers)) return tls_->Write(first, error);
    std::array<char, kJoinedBytes> joined;
    return tls_->Write(asio::buffer(joined, asio::buffer_copy(asio::buffer(joined), buffers)), error);
  }

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;  // null: cleartext
};

// Tries, and waits for the socket as long as that would block.
template <typename Buffers>
struct Transport::TransferOp {
  Transport& transport;
  Direction direction;
  Buffers buffers;
  bool is_started = false;
  bool is_done = false;
  error_code result = {};
  size_t bytes = 0;

  template <typename Self>
  void operator()(Self& self, error_code error = {}) {
    const bool is_first = !std::exchange(is_started, true);
    if (is_done) return self.complete(result, bytes);
    result = error;
    if (!result) bytes = transport.Transfer(direction, buffers, result);
    if (result == asio::error::would_block) {
      result = {};
      return transport.StartWait(direction, std::move(self));
    }
    if (!is_first) return self.complete(result, bytes);
    is_done = true;  // a completion must not come from inside the call that starts the operation
    asio::post(transport.get_executor(), std::move(self));
  }
};

}  // namespace spanloom::net
