// SPDX-License-Identifier: Apache-2.0
//
// The bytes of one connection, whatever carries them, for HTTP/1.1 and HTTP/2 at either end. HTTP/2 reads and writes by
// hand (ReadSome, WriteSome); Beast uses the asynchronous functions, whose names are Asio's.

#pragma once

#include <cstddef>
#include <utility>

#include "net/detail/asio.h"

namespace spanloom::net {

// A connected stream: TCP or a unix socket. Sequence-bound: its loop. Movable while no operation is under way. Not to
// be destroyed before the operations under way have ended; Close ends them.
class Transport {
 public:
  using executor_type = Socket::executor_type;

  // Takes over a socket that is connected.
  explicit Transport(Socket socket);

  [[nodiscard]] executor_type get_executor() { return socket_.get_executor(); }
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  // Reads what has arrived. Errors: would_block if nothing has, eof at the end.
  size_t ReadSome(asio::mutable_buffer buffer, error_code& error) { return socket_.read_some(buffer, error); }

  // Writes what can be written. Error: would_block if that is nothing; then the same bytes must come again.
  size_t WriteSome(asio::const_buffer buffer, error_code& error) { return socket_.write_some(buffer, error); }

  // Completes with an error_code when ReadSome (WriteSome) has something to say.
  template <typename Token>
  auto WaitRead(Token&& token) {
    return socket_.async_wait(Socket::wait_read, std::forward<Token>(token));
  }
  template <typename Token>
  auto WaitWrite(Token&& token) {
    return socket_.async_wait(Socket::wait_write, std::forward<Token>(token));
  }

  // Asio's AsyncReadStream and AsyncWriteStream.
  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return socket_.async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return socket_.async_write_some(buffers, std::forward<Token>(token));
  }

  // Tells the peer that nothing more will be sent.
  void ShutdownSend();

  // Ends the operations under way with operation_aborted.
  void Cancel();

  // Cancels, and closes the socket. Idempotent.
  void Close();

 private:
  Socket socket_;
};

}  // namespace spanloom::net
