// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/zero_mq.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

constexpr char kLibrary[] = "libzmq.so.5";
// zmq.h of libzmq 4: values of its interface.
constexpr int kOptionLinger = 17;
constexpr int kOptionReceiveMore = 13;
constexpr int kOptionSendQueue = 23;
constexpr int kOptionLastEndpoint = 32;
constexpr int kDoNotWait = 1;
constexpr int kSendMore = 2;
constexpr size_t kPartBytesMax = 1 << 20;  // of what is received: requests of 8 bytes, and names of peers

struct PollItem {
  void* socket = nullptr;
  int file = -1;
  short events = 0;
  short happened = 0;
};

// The library's functions.
struct Library {
  void* (*context_new)() = nullptr;
  int (*context_end)(void*) = nullptr;
  void* (*socket_new)(void*, int) = nullptr;
  int (*close)(void*) = nullptr;
  int (*bind)(void*, const char*) = nullptr;
  int (*connect)(void*, const char*) = nullptr;
  int (*set)(void*, int, const void*, size_t) = nullptr;
  int (*get)(void*, int, void*, size_t*) = nullptr;
  int (*send)(void*, const void*, size_t, int) = nullptr;
  int (*receive)(void*, void*, size_t, int) = nullptr;
  int (*poll)(PollItem*, int, long) = nullptr;
  const char* (*error_text)(int) = nullptr;
  int (*error)() = nullptr;
  std::string problem = {};  // why it can't be used; "" if it can
};

template <typename Function>
void Find(void* handle, const char* name, Function& function, std::string& problem) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  if (function == nullptr) problem = StrCat(kLibrary, " has no ", name);
}

Library Load() {
  Library library;
  void* const handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    library.problem = StrCat("KV events need ", kLibrary, ", which can't be loaded (", dlerror(),
                             "); install the package libzmq5, or leave KV events out");
    return library;
  }
  std::string& problem = library.problem;
  Find(handle, "zmq_ctx_new", library.context_new, problem);
  Find(handle, "zmq_ctx_term", library.context_end, problem);
  Find(handle, "zmq_socket", library.socket_new, problem);
  Find(handle, "zmq_close", library.close, problem);
  Find(handle, "zmq_bind", library.bind, problem);
  Find(handle, "zmq_connect", library.connect, problem);
  Find(handle, "zmq_setsockopt", library.set, problem);
  Find(handle, "zmq_getsockopt", library.get, problem);
  Find(handle, "zmq_send", library.send, problem);
  Find(handle, "zmq_recv", library.receive, problem);
  Find(handle, "zmq_poll", library.poll, problem);
  Find(handle, "zmq_strerror", library.error_text, problem);
  Find(handle, "zmq_errno", library.error, problem);
  return library;
}

const Library& Zmq() {
  static const Library library = Load();
  return library;
}

}  // namespace

ZeroMqSocket::~ZeroMqSocket() {
  Zmq().close(socket_);
}

Status ZeroMqSocket::Open(const std::string& endpoint) {
  const bool binds = endpoint.find('*') != std::string::npos || endpoint.find("::") != std::string::npos ||
                     endpoint.starts_with("ipc://") || endpoint.starts_with("inproc://");
  const int result = binds ? Zmq().bind(socket_, endpoint.c_str()) : Zmq().connect(socket_, endpoint.c_str());
  if (result == 0) return absl::OkStatus();
  const int error = Zmq().error();
  const std::string message =
      StrCat("cannot ", binds ? "bind " : "connect to ", endpoint, ": ", Zmq().error_text(error));
  return error == EADDRINUSE ? absl::UnavailableError(message)
                             : absl::InvalidArgumentError(StrCat(message, "; endpoints are such as tcp://*:5557"));
}

std::string ZeroMqSocket::endpoint() const {
  std::array<char, 512> text{};
  size_t size = text.size();
  if (Zmq().get(socket_, kOptionLastEndpoint, text.data(), &size) != 0) return "";
  return text.data();
}

bool ZeroMqSocket::Send(std::initializer_list<std::string_view> parts) {
  size_t left = parts.size();
  for (const std::string_view part : parts) {
    if (Zmq().send(socket_, part.data(), part.size(), --left > 0 ? kDoNotWait | kSendMore : kDoNotWait) < 0)
      return false;
  }
  return true;
}

std::optional<std::vector<std::string>> ZeroMqSocket::Receive() {
  std::vector<std::string> parts;
  std::string part(kPartBytesMax, '\0');
  int has_more = 1;
  while (has_more != 0) {
    const int size = Zmq().receive(socket_, part.data(), part.size(), kDoNotWait);
    if (size < 0) return std::nullopt;
    parts.emplace_back(part, 0, std::min(static_cast<size_t>(size), part.size()));
    size_t bytes = sizeof(has_more);
    if (Zmq().get(socket_, kOptionReceiveMore, &has_more, &bytes) != 0) return std::nullopt;
  }
  return parts;
}

StatusOr<std::unique_ptr<ZeroMqContext>> ZeroMqContext::Create() {
  if (!Zmq().problem.empty()) return absl::NotFoundError(Zmq().problem);
  void* const context = Zmq().context_new();
  if (context == nullptr) return absl::ResourceExhaustedError("ZeroMQ makes no context; raise the limit of open files");
  return std::unique_ptr<ZeroMqContext>(new ZeroMqContext(context));
}

ZeroMqContext::~ZeroMqContext() {
  Zmq().context_end(context_);
}

StatusOr<std::unique_ptr<ZeroMqSocket>> ZeroMqContext::Make(ZeroMqKind kind, int queue_max) {
  void* const socket = Zmq().socket_new(context_, static_cast<int>(kind));
  if (socket == nullptr)
    return absl::ResourceExhaustedError(StrCat("ZeroMQ makes no socket: ", Zmq().error_text(Zmq().error())));
  const int linger_ms = 0;
  Zmq().set(socket, kOptionLinger, &linger_ms, sizeof(linger_ms));
  Zmq().set(socket, kOptionSendQueue, &queue_max, sizeof(queue_max));
  return std::unique_ptr<ZeroMqSocket>(new ZeroMqSocket(socket));
}

void ZeroMqContext::Wait(ZeroMqSocket* socket, int file, long timeout_ms) {
  std::array<PollItem, 2> items = {PollItem{.file = file, .events = 1}, PollItem{}};  // 1: ZMQ_POLLIN
  if (socket != nullptr) items[1] = {.socket = socket->socket_, .events = 1};
  Zmq().poll(items.data(), socket == nullptr ? 1 : 2, timeout_ms);
}

}  // namespace spanloom::llmd::wire
