// SPDX-License-Identifier: Apache-2.0
//
// Opens the sockets that a server accepts on. TCP: one a loop, all bound to the same port, so that the kernel spreads
// the connections (SO_REUSEPORT). Unix: one that all loops share.

#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "net/detail/asio.h"
#include "net/detail/endpoint.h"
#include "net/server.h"

namespace spanloom::net {

// The file of a unix socket. The destructor removes it, unless somebody has put another one in its place.
class SocketFile {
 public:
  // `path` has just been bound to.
  explicit SocketFile(std::string path);
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

 private:
  const std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct Listening {
  std::vector<Acceptor> acceptors;   // [loops]
  Endpoint endpoint;                 // as bound
  std::unique_ptr<SocketFile> file;  // of a unix socket that has one
};

// Binds and listens for each of `loops`. A file that a dead process left at a unix socket's path is replaced.
// kInvalidArgument for an endpoint that can't be parsed or resolved; kUnavailable, with the advice what to do, if the
// address is in use (by this process too) or can't be bound.
StatusOr<Listening> Listen(LoopPool& loops, const ServerOptions& options);

}  // namespace spanloom::net
