// SPDX-License-Identifier: Apache-2.0
//
// Non-blocking TCP on loopback, with bytes waiting to be written kept in order.

#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace spanloom::bench {

// Ends the process with words on standard error.
[[noreturn]] void Die(std::string_view words);

// A listener on a free port of loopback.
struct Listener {
  int fd;
  uint16_t port;
};
Listener Listen();

// An open connection. Owns its descriptor.
class Socket {
 public:
  explicit Socket(int fd);
  // Connects to a port of loopback; ends the process if that fails.
  static Socket Connect(uint16_t port);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }

  // What has arrived, up to 256 KiB; valid until the next call of any socket. Empty if nothing has. `closed` is set at
  // the end.
  std::string_view Read(bool& closed);

  // Writes, or keeps what does not fit. False if the peer is gone.
  bool Write(std::string_view bytes);

  // Writes what was kept. False if the peer is gone.
  bool Flush();

  // True if bytes are kept: wait for EPOLLOUT.
  [[nodiscard]] bool is_waiting() const { return written_ < output_.size(); }

 private:
  int fd_;
  std::string output_;
  size_t written_ = 0;  // [0, output_.size()]
};

}  // namespace spanloom::bench
