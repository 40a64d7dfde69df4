// SPDX-License-Identifier: Apache-2.0
//
// A model server of nothing but sockets, for `./dev bench llmd`: takes HTTP/1.1 requests whose length is declared and
// answers at once. A request that asks for remote decode gets kv_transfer_params of 500 bytes, one that streams gets
// events of 214 bytes, each of which is written alone, any other a completion of some 590 bytes. Headers of the
// request say how many events there are (x-bench-events) and how long it is from one to the next
// (x-bench-interval-us; 0: none). One thread; prints its port.

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "socket.h"

namespace spanloom::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kEventsMax = 256;      // of epoll
constexpr size_t kEventBytes = 214;  // as the events that the originals were measured with
constexpr size_t kParamsBytes = 500;
constexpr size_t kAnswerBytes = 590;
constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

// An event of HTTP/1.1's body, framed as a chunk.
std::string Event() {
  std::string event =
      R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"delta":{"content":"x"}}])";
  event.resize(kEventBytes - 3, ' ');
  return "d6\r\n" + event + "}\n\n\r\n";
}

std::string Answer(std::string body, size_t bytes) {
  body.resize(std::max(body.size(), bytes - 1), ' ');
  body += '}';
  return "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

// The number that a header of the request has, or 0. The proxy may have changed its case.
uint64_t HeaderNumber(std::string_view head, std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  const auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
  uint64_t value = 0;
  if (at == head.end()) return 0;
  const std::string_view rest = head.substr(static_cast<size_t>(at - head.begin()) + name.size());
  const size_t digit = rest.find_first_not_of(": ");
  if (digit != std::string_view::npos) std::from_chars(rest.data() + digit, rest.data() + rest.size(), value);
  return value;
}

struct Peer {
  explicit Peer(int fd) : socket(fd) {}
  Socket socket;
  std::string received;
  uint64_t events_left = 0;
  std::chrono::microseconds interval{0};
};

class ModelServer {
 public:
  ModelServer() : listener_(Listen()), epoll_(::epoll_create1(0)) {
    Watch(EPOLL_CTL_ADD, listener_.fd, EPOLLIN);
    std::printf("%d\n", listener_.port);
    std::fflush(stdout);
  }

  [[noreturn]] void Run() {
    epoll_event ready[kEventsMax];
    while (true) {
      const int count = ::epoll_wait(epoll_, ready, kEventsMax, WaitMs());
      for (int i = 0; i < count; ++i) Serve(ready[i].data.fd, ready[i].events);
      SendWhatIsDue();
    }
  }

 private:
  struct Due {
    Clock::time_point at;
    int fd;
    const Peer* peer;  // to tell a connection from a later one with its number
    bool operator<(const Due& other) const { return at > other.at; }
  };

  void Watch(int operation, int fd, uint32_t events) const {
    epoll_event event{.events = events, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  [[nodiscard]] int WaitMs() const {
    if (due_.empty()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_.top().at - Clock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  void Serve(int fd, uint32_t events) {
    if (fd == listener_.fd) return Accept();
    Peer& peer = *peers_.at(fd);
    if ((events & EPOLLOUT) != 0) {
      if (!peer.socket.Flush()) return Drop(fd);
      if (!peer.socket.is_waiting()) Watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
    bool closed = false;
    const std::string_view piece = peer.socket.Read(closed);
    if (closed) return Drop(fd);
    peer.received.append(piece);
    Take(fd, peer);
  }

  void Accept() {
    const int fd = ::accept4(listener_.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    peers_.emplace(fd, std::make_unique<Peer>(fd));
    Watch(EPOLL_CTL_ADD, fd, EPOLLIN);
  }

  void Drop(int fd) { peers_.erase(fd); }

  // Answers the request that is there, if it is whole.
  void Take(int fd, Peer& peer) {
    const size_t end = peer.received.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const std::string_view head = std::string_view(peer.received).substr(0, end);
    const size_t bytes = end + 4 + HeaderNumber(head, "\r\ncontent-length");
    if (peer.received.size() < bytes) return;
    const std::string_view body = std::string_view(peer.received).substr(end + 4, bytes - end - 4);
    if (body.find("\"do_remote_decode\":true") != std::string_view::npos) {
      Write(fd, peer, params_);
    } else if (body.find("\"stream\":true") == std::string_view::npos) {
      Write(fd, peer, answer_);
    } else {
      peer.events_left = HeaderNumber(head, "x-bench-events");
      peer.interval = std::chrono::microseconds(HeaderNumber(head, "x-bench-interval-us"));
      Write(fd, peer, kStreamHead);
      SendEvents(fd, peer);
    }
    peer.received.clear();
  }

  void SendEvents(int fd, Peer& peer) {
    const bool is_paced = peer.interval.count() > 0;
    do {
      Write(fd, peer, event_);
      --peer.events_left;
    } while (!is_paced && peer.events_left > 0);
    if (peer.events_left == 0) return Write(fd, peer, "0\r\n\r\n");
    due_.push({.at = Clock::now() + peer.interval, .fd = fd, .peer = &peer});
  }

  void SendWhatIsDue() {
    const auto now = Clock::now();
    while (!due_.empty() && due_.top().at <= now) {
      const Due due = due_.top();
      due_.pop();
      const auto peer = peers_.find(due.fd);
      if (peer != peers_.end() && peer->second.get() == due.peer) SendEvents(due.fd, *peer->second);
    }
  }

  // A peer that is gone is noticed when it is read from.
  void Write(int fd, Peer& peer, std::string_view bytes) const {
    peer.socket.Write(bytes);
    if (peer.socket.is_waiting()) Watch(EPOLL_CTL_MOD, fd, EPOLLIN | EPOLLOUT);
  }

  const Listener listener_;
  const int epoll_;
  const std::string event_ = Event();
  const std::string params_ = Answer(
      R"({"id":"p","choices":[],"kv_transfer_params":{"remote_engine_id":"e","remote_host":"127.0.0.1","remote_port":5600,)"
      R"("remote_block_ids":[)" +
          std::string(kParamsBytes - 120, '1') + "]}",
      kParamsBytes);
  const std::string answer_ = Answer(
      R"({"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"x"}}])",
      kAnswerBytes);
  std::unordered_map<int, std::unique_ptr<Peer>> peers_;  // by descriptor
  std::priority_queue<Due> due_;
};

}  // namespace
}  // namespace spanloom::bench

int main() {
  spanloom::bench::ModelServer().Run();
}
