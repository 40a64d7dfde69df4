// SPDX-License-Identifier: Apache-2.0
//
// TLS on one socket: OpenSSL's state machine, reading and writing the descriptor without blocking. It holds no buffers
// while nothing is on its way.

#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "net/detail/asio.h"
#include "net/peer_certificate.h"

struct ssl_st;      // OpenSSL's SSL
struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace spanloom::net {

// Frees what OpenSSL made.
struct SslDeleter {
  void operator()(ssl_st* ssl) const;
  void operator()(ssl_ctx_st* context) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslDeleter>;
using SslContextPtr = std::unique_ptr<ssl_ctx_st, SslDeleter>;

// What the socket must be waited for before the same function is worth calling again.
enum class SocketWait { kRead, kWrite };

// Sequence-bound: the loop of its socket, which must outlive it.
class TlsSession {
 public:
  // Takes over a session that knows its role; `peer_name` is for the words of a failure.
  explicit TlsSession(SslPtr ssl);

  // Sets the socket, before anything else.
  void Attach(int descriptor);

  // Each takes the next step. would_block: wait for the socket as `..._wait` says, and call again. A failure of TLS has
  // an error of its own category, and is told in `failure`. After any other error only the destructor may be called.
  void Handshake(error_code& error);
  size_t Read(asio::mutable_buffer buffer, error_code& error);         // eof: the peer said that it is done
  size_t Write(asio::const_buffer buffer, error_code& error);          // again with the same bytes after would_block
  [[nodiscard]] SocketWait read_wait() const { return read_wait_; }    // of Handshake and Read
  [[nodiscard]] SocketWait write_wait() const { return write_wait_; }  // of Write

  // True if Read may have something although nothing new has come to the socket.
  [[nodiscard]] bool HasUnread() const;

  // Tells the peer that nothing more will be sent, if the socket takes that at once.
  void SendCloseNotify();

  // What the peer has shown in the handshake, once that is done; null if nothing that was verified.
  [[nodiscard]] std::shared_ptr<const PeerCertificate> peer_certificate() const;

  // Why the last step failed, for people: "certificate verify failed: self-signed certificate".
  [[nodiscard]] const std::string& failure() const { return failure_; }

  // The peer has closed the connection without saying that it would: what was to come may be missing.
  [[nodiscard]] bool is_cut() const { return is_cut_; }

 private:
  error_code ErrorOf(int result, SocketWait& wait);
  [[nodiscard]] std::string DescribeFailure(unsigned long openssl_error) const;

  SslPtr ssl_;
  SocketWait read_wait_ = SocketWait::kRead;
  SocketWait write_wait_ = SocketWait::kWrite;
  bool may_have_unread_ = false;  // the last Read brought something
  bool has_failed_ = false;
  bool is_cut_ = false;
  std::string failure_;
};

}  // namespace spanloom::net
