// SPDX-License-Identifier: Apache-2.0

#include "net/detail/tls_session.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "net/detail/tls_peer.h"

namespace spanloom::net {
namespace {

// Failures of TLS as error codes; TlsSession::failure says more.
class TlsErrorCategory final : public boost::system::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "tls"; }
  [[nodiscard]] std::string message(int value) const override {
    const char* reason = ERR_reason_error_string(static_cast<unsigned long>(value));
    return StrCat("TLS: ", reason != nullptr ? reason : "unknown failure");
  }
};

const TlsErrorCategory& TlsErrors() {
  static const TlsErrorCategory category;
  return category;
}

// OpenSSL's own socket BIO would raise SIGPIPE when the peer is gone.
int DescriptorOf(BIO* bio) {
  return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
}

bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

int ReadSocket(BIO* bio, char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t bytes = recv(DescriptorOf(bio), buffer, static_cast<size_t>(size), MSG_DONTWAIT);
  if (bytes < 0 && WouldBlock(errno)) BIO_set_retry_read(bio);
  if (bytes == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(bytes);
}

int WriteSocket(BIO* bio, const char* buffer, int size) {
  BIO_clear_retry_flags(bio);
  const ssize_t bytes = send(DescriptorOf(bio), buffer, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (bytes < 0 && WouldBlock(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(bytes);
}

long ControlSocket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

const BIO_METHOD* SocketMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "spanloom socket");
    CHECK(made != nullptr);
    BIO_meth_set_read(made, &ReadSocket);
    BIO_meth_set_write(made, &WriteSocket);
    BIO_meth_set_ctrl(made, &ControlSocket);
    return made;
  }();
  return method;
}

}  // namespace

void SslDeleter::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

void SslDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

TlsSession::TlsSession(SslPtr ssl) : ssl_(std::move(ssl)) {}

void TlsSession::Attach(int descriptor) {
  BIO* bio = BIO_new(SocketMethod());
  CHECK(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(descriptor)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // takes over the one reference
}

void TlsSession::Handshake(error_code& error) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  error = result == 1 ? error_code() : ErrorOf(result, read_wait_);
}

size_t TlsSession::Read(asio::mutable_buffer buffer, error_code& error) {
  size_t bytes = 0;
  ERR_clear_error();
  const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &bytes);
  may_have_unread_ = result == 1;
  error = result == 1 ? error_code() : ErrorOf(result, read_wait_);
  return bytes;
}

size_t TlsSession::Write(asio::const_buffer buffer, error_code& error) {
  size_t bytes = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), buffer.data(), buffer.size(), &bytes);
  error = result == 1 ? error_code() : ErrorOf(result, write_wait_);
  return bytes;
}

// After would_block OpenSSL may hold half a record, which only the socket can complete.
bool TlsSession::HasUnread() const {
  return may_have_unread_ && SSL_has_pending(ssl_.get()) == 1;
}

std::shared_ptr<const PeerCertificate> TlsSession::peer_certificate() const {
  return PeerCertificateOf(ssl_.get());
}

void TlsSession::SendCloseNotify() {
  if (has_failed_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

error_code TlsSession::ErrorOf(int result, SocketWait& wait) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      wait = SocketWait::kRead;
      return asio::error::would_block;
    case SSL_ERROR_WANT_WRITE:
      wait = SocketWait::kWrite;
      return asio::error::would_block;
    case SSL_ERROR_ZERO_RETURN:
      return asio::error::eof;
    case SSL_ERROR_SYSCALL:
      has_failed_ = true;
      failure_ = "the connection was lost";
      return system_error == 0 ? error_code(asio::error::connection_reset)
                               : error_code(system_error, boost::system::system_category());
    default:
      has_failed_ = true;
      const unsigned long openssl_error = ERR_peek_last_error();
      failure_ = DescribeFailure(openssl_error);
      is_cut_ = ERR_GET_REASON(openssl_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
      if (is_cut_) return asio::error::connection_reset;
      return {static_cast<int>(openssl_error), TlsErrors()};
  }
}

std::string TlsSession::DescribeFailure(unsigned long openssl_error) const {
  if (ERR_GET_REASON(openssl_error) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return "the peer closed the connection";
  const char* reason = ERR_reason_error_string(openssl_error);
  std::string text = reason != nullptr ? reason : "unknown failure";
  const long verified = SSL_get_verify_result(ssl_.get());
  if (verified != X509_V_OK) StrAppend(text, ": ", X509_verify_cert_error_string(verified));
  return text;
}

}  // namespace spanloom::net
