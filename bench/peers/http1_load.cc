// SPDX-License-Identifier: Apache-2.0

#include <sys/epoll.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "load.h"
#include "socket.h"

namespace spanloom::bench {
namespace {

constexpr int kEventsMax = 64;
constexpr int kPatienceMs = 30'000;  // without an answer

// One connection with one request under way.
struct Http1Client {
  explicit Http1Client(Socket opened) : socket(std::move(opened)) {}
  Socket socket;
  std::string received;
  LoadResult::Clock::time_point begin;
  bool is_busy = false;
};

// Bytes of the first answer in `received`, or 0 if it is not complete. Lengths only: no chunks are expected.
size_t AnswerBytes(std::string_view received) {
  const size_t head = received.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  std::string lower(received.substr(0, head));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  size_t length = 0;
  const size_t at = lower.find("content-length: ");
  if (at != std::string::npos) std::from_chars(lower.data() + at + 16, lower.data() + lower.size(), length);
  const size_t total = head + 4 + length;
  return received.size() >= total ? total : 0;
}

class Http1Load {
 public:
  Http1Load(const LoadOptions& options, RequestBody& body)
      : options_(options), body_(body), epoll_(::epoll_create1(0)) {
    head_ = "POST " + options.path + " HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: " + options.content_type +
            "\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n";
    for (int i = 0; i < options.connections; ++i) {
      clients_.push_back(std::make_unique<Http1Client>(Socket::Connect(options.port)));
      epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = clients_.back().get()}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back()->socket.fd(), &event);
    }
  }

  LoadResult Run() {
    for (const auto& client : clients_) Send(*client);
    epoll_event events[kEventsMax];
    while (result_.count() < options_.requests) {
      const int count = ::epoll_wait(epoll_, events, kEventsMax, kPatienceMs);
      if (count <= 0) Die("no answer for 30 s");
      for (int i = 0; i < count; ++i) Serve(*static_cast<Http1Client*>(events[i].data.ptr));
    }
    return std::move(result_);
  }

 private:
  void Send(Http1Client& client) {
    client.is_busy = sent_ < options_.requests;
    if (!client.is_busy) return;
    ++sent_;
    client.begin = LoadResult::Clock::now();
    request_.assign(head_).append(body_.Next());
    if (!client.socket.Write(request_)) Die("the peer closed");
  }

  void Serve(Http1Client& client) {
    if (!client.socket.Flush()) Die("the peer closed");
    bool closed = false;
    for (std::string_view piece = client.socket.Read(closed); !piece.empty(); piece = client.socket.Read(closed)) {
      client.received.append(piece);
      Take(client);
    }
    if (closed && client.is_busy) Die("the peer closed with a request under way");
  }

  void Take(Http1Client& client) {
    const size_t bytes = AnswerBytes(client.received);
    if (bytes == 0) return;
    const std::string_view status = std::string_view(client.received).substr(0, 12);
    if (status == "HTTP/1.1 200") {
      result_.Answered(client.begin);
    } else {
      result_.Failed(std::string(status));
    }
    client.received.erase(0, bytes);
    Send(client);
  }

  const LoadOptions& options_;
  RequestBody& body_;
  const int epoll_;
  std::string head_;
  std::string request_;
  std::vector<std::unique_ptr<Http1Client>> clients_;
  uint64_t sent_ = 0;
  LoadResult result_;
};

}  // namespace

LoadResult RunHttp1(const LoadOptions& options, RequestBody& body) {
  return Http1Load(options, body).Run();
}

}  // namespace spanloom::bench
