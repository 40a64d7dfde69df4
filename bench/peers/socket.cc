// SPDX-License-Identifier: Apache-2.0

#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace spanloom::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr int kBacklog = 1024;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool WouldBlock() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

void Die(std::string_view words) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(words.size()), words.data());
  std::exit(1);
}

Listener Listen() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    Die("can't listen on loopback");
  }
  return {.fd = fd, .port = ntohs(address.sin_port)};
}

Socket::Socket(int fd) : fd_(fd) {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
}

Socket Socket::Connect(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Die("can't connect");
  return Socket(fd);
}

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), output_(std::move(other.output_)), written_(other.written_) {}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

std::string_view Socket::Read(bool& closed) {
  static std::array<char, kReadBytes> buffer;
  const ssize_t bytes = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (bytes > 0) return {buffer.data(), static_cast<size_t>(bytes)};
  closed = bytes == 0 || !WouldBlock();
  return {};
}

bool Socket::Write(std::string_view bytes) {
  output_.append(bytes);
  return Flush();
}

bool Socket::Flush() {
  while (written_ < output_.size()) {
    const ssize_t bytes = ::send(fd_, output_.data() + written_, output_.size() - written_, MSG_NOSIGNAL);
    if (bytes < 0) return WouldBlock();
    written_ += static_cast<size_t>(bytes);
  }
  output_.clear();
  written_ = 0;
  return true;
}

}  // namespace spanloom::bench
