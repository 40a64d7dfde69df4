// SPDX-License-Identifier: Apache-2.0

#include "net/detail/listen.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/text.h"

namespace spanloom::net {
namespace {

Status ListenFailed(const ServerOptions& options, std::string_view reason, std::string_view advice) {
  return absl::UnavailableError(
      StrCat(options.name, ": can't listen on ", options.endpoint, ": ", reason, "; ", advice));
}

Status BindFailed(const ServerOptions& options, const error_code& error) {
  return ListenFailed(options, error.message(),
                      error == asio::error::address_in_use
                          ? "stop the process that has it, or choose another endpoint"
                          : "choose an address of this machine and a port or path you may open");
}

enum class Sharing { kExclusive, kReusePort };

error_code Bind(Acceptor& acceptor, const Endpoint& endpoint, Sharing sharing) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  if (endpoint.protocol().family() != AF_UNIX) acceptor.set_option(Acceptor::reuse_address(true), error);
  const int on = 1;
  if (sharing == Sharing::kReusePort) setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (endpoint.protocol().family() == AF_INET6) {  // ":4317" means both families; "[::1]:4317" only has the one
    const auto& address = *reinterpret_cast<const sockaddr_in6*>(endpoint.data());
    acceptor.set_option(asio::ip::v6_only(!IN6_IS_ADDR_UNSPECIFIED(&address.sin6_addr)), error);
  }
  acceptor.bind(endpoint, error);
  return error;
}

// SO_REUSEPORT would let a second process of the same user share the port unnoticed. So ask for it alone first.
error_code CheckPortIsFree(Loop& loop, const Endpoint& endpoint) {
  if (PortOf(endpoint) == 0) return {};
  Acceptor probe(Context(loop));
  return Bind(probe, endpoint, Sharing::kExclusive);
}

StatusOr<Listening> ListenOnTcp(LoopPool& loops, const ServerOptions& options, Endpoint endpoint) {
  error_code error = CheckPortIsFree(loops.At(0), endpoint);
  if (error) return BindFailed(options, error);
  Listening listening;
  for (size_t i = 0; i < loops.size(); ++i) {
    Acceptor& acceptor = listening.acceptors.emplace_back(Context(loops.At(i)));
    error = Bind(acceptor, endpoint, Sharing::kReusePort);
    if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
    if (error) return BindFailed(options, error);
    endpoint = acceptor.local_endpoint(error);  // with the port, if it was 0
  }
  listening.endpoint = endpoint;
  return listening;
}

// Removes what a dead process left at `path`: a socket that refuses connections.
Status RemoveStale(Loop& loop, const ServerOptions& options, const Target& target) {
  struct stat found {};
  if (lstat(target.unix_path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode)) {
    return ListenFailed(options, "there is a file that is not a socket", "remove it, or choose another path");
  }
  Socket probe(Context(loop));
  error_code error;
  probe.connect(UnixEndpoint(target), error);
  if (error != asio::error::connection_refused) {
    return ListenFailed(options, "another process listens there", "stop it, or choose another path");
  }
  unlink(target.unix_path.c_str());
  return absl::OkStatus();
}

// The first loop's socket, for another loop.
error_code Share(Acceptor& first, const Endpoint& endpoint, Acceptor& acceptor) {
  error_code error;
  const int descriptor = dup(first.native_handle());
  if (descriptor < 0) return {errno, boost::system::system_category()};
  acceptor.assign(endpoint.protocol(), descriptor, error);
  if (error) close(descriptor);
  return error;
}

StatusOr<Listening> ListenOnUnix(LoopPool& loops, const ServerOptions& options, const Target& target) {
  if (!target.is_abstract()) RETURN_IF_ERROR(RemoveStale(loops.At(0), options, target));
  Listening listening;
  listening.endpoint = UnixEndpoint(target);
  listening.acceptors.reserve(loops.size());
  Acceptor& first = listening.acceptors.emplace_back(Context(loops.At(0)));
  error_code error = Bind(first, listening.endpoint, Sharing::kExclusive);
  if (error) return BindFailed(options, error);
  if (!target.is_abstract()) listening.file = std::make_unique<SocketFile>(target.unix_path);
  first.listen(Acceptor::max_listen_connections, error);
  for (size_t i = 1; i < loops.size() && !error; ++i) {
    error = Share(first, listening.endpoint, listening.acceptors.emplace_back(Context(loops.At(i))));
  }
  if (error) return BindFailed(options, error);
  return listening;
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat found {};
  if (lstat(path_.c_str(), &found) != 0) return;
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

SocketFile::~SocketFile() {
  struct stat found {};
  if (lstat(path_.c_str(), &found) != 0 || found.st_dev != device_ || found.st_ino != inode_) return;
  unlink(path_.c_str());
}

StatusOr<Listening> Listen(LoopPool& loops, const ServerOptions& options) {
  ASSIGN_OR_RETURN(const Target target, ParseTarget(options.endpoint));
  if (target.is_unix()) return ListenOnUnix(loops, options, target);
  ASSIGN_OR_RETURN(const Endpoint endpoint, ResolveListenEndpoint(target, options.endpoint));
  return ListenOnTcp(loops, options, endpoint);
}

}  // namespace spanloom::net
