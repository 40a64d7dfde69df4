// SPDX-License-Identifier: Apache-2.0
//
// A client of chat completions over HTTP/1.1 that checks every answer:
//   stream_load REQUESTS CONNECTIONS EVENTS INTERVAL-US BODY-FILE PORT [PREFILL-PORT direct|proxied] [SECONDS-TO-HOLD]
// Each connection sends one request after the other until REQUESTS are answered over all of them. EVENTS 0: an answer
// in one piece. With a prefill port each request has a prefill leg: "direct", the client asks it before it asks PORT
// for the decode; "proxied", it names it to PORT. BODY-FILE is the request's body, in which "stream":true is expected
// if there are events. Starts of paced streams are spread over their length. Holding: the streams stay open, and the
// first answers are not waited for to end.
// Prints one line of JSON: answered, cut (ended before their end), events, seconds, and quantiles of the time to the
// first event in microseconds. Ends with 1 if an answer was wrong.

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "socket.h"

namespace spanloom::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kEventsMax = 256;  // of epoll
constexpr int kPatienceMs = 60'000;
constexpr int kArgumentsMin = 7;
constexpr std::string_view kEventMark = "data: {";
constexpr std::string_view kLastChunk = "\r\n0\r\n\r\n";

struct Options {
  uint64_t requests = 0;
  size_t connections = 1;
  uint64_t events = 0;
  uint64_t interval_us = 0;
  std::string body;
  uint16_t port = 0;
  uint16_t prefill_port = 0;
  bool is_direct = false;
  int hold_seconds = 0;
};

std::string Request(const Options& options, std::string_view body, uint16_t prefill_port) {
  std::string head = "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";
  if (prefill_port != 0) head += "x-prefiller-host-port: 127.0.0.1:" + std::to_string(prefill_port) + "\r\n";
  if (options.events > 0) {
    head += "x-bench-events: " + std::to_string(options.events) + "\r\n";
    head += "x-bench-interval-us: " + std::to_string(options.interval_us) + "\r\n";
  }
  return head + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// What a prefill server is asked by a client that does both legs.
std::string PrefillBody(std::string body) {
  return body.insert(1, R"("kv_transfer_params":{"do_remote_decode":true},)");
}

// Reads one answer, piece by piece.
class Answer {
 public:
  // True when it is complete.
  bool Take(std::string_view piece) {
    received_.append(piece);
    if (head_bytes_ == 0 && !TakeHead()) return false;
    for (size_t at = received_.find(kEventMark, scanned_); at != std::string::npos;
         at = received_.find(kEventMark, scanned_)) {
      ++events_;
      scanned_ = at + kEventMark.size();
    }
    if (length_.has_value()) return received_.size() >= head_bytes_ + *length_;
    if (received_.ends_with(kLastChunk)) return true;
    Forget();
    return false;
  }
  [[nodiscard]] uint64_t events() const { return events_; }
  [[nodiscard]] bool is_ok() const { return is_ok_; }
  [[nodiscard]] bool has_begun() const { return head_bytes_ > 0; }

 private:
  bool TakeHead() {
    const size_t end = received_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    head_bytes_ = end + 4;
    scanned_ = head_bytes_;
    is_ok_ = received_.starts_with("HTTP/1.1 200");
    std::string head = received_.substr(0, head_bytes_);
    std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
    const size_t at = head.find("content-length: ");
    if (at == std::string::npos) return true;
    uint64_t length = 0;
    std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
    length_ = length;
    return true;
  }

  // Keeps of a stream what a mark or its end may begin in.
  void Forget() {
    constexpr size_t kKept = 16;
    if (received_.size() <= scanned_ + kKept) return;
    received_.erase(0, received_.size() - kKept);
    scanned_ = 0;
  }

  std::string received_;
  size_t scanned_ = 0;
  size_t head_bytes_ = 0;  // 0: not there yet
  std::optional<uint64_t> length_;
  uint64_t events_ = 0;
  bool is_ok_ = false;
};

struct Client {
  std::optional<Socket> decode;
  std::optional<Socket> prefill;  // of a client that does both legs
  bool is_prefilling = false;
  bool is_busy = false;
  bool has_first = false;
  Answer answer;
  Clock::time_point begin;
  Clock::time_point start_at;
};

class StreamLoad {
 public:
  explicit StreamLoad(const Options& options)
      : options_(options),
        epoll_(::epoll_create1(0)),
        request_(Request(options, options.body, options.is_direct ? 0 : options.prefill_port)),
        prefill_request_(Request(options, PrefillBody(options.body), 0)),
        clients_(options.connections) {}

  int Run() {
    begin_ = Clock::now();
    const auto length =
        std::chrono::microseconds(options_.hold_seconds > 0 ? 0 : options_.events * options_.interval_us);
    const auto spread = length / options_.connections;
    for (size_t i = 0; i < clients_.size(); ++i) clients_[i].start_at = begin_ + i * spread;
    epoll_event ready[kEventsMax];
    while (!IsDone()) {
      StartWhatIsDue();
      const int count = ::epoll_wait(epoll_, ready, kEventsMax, WaitMs());
      if (count == 0 && WaitMs() == kPatienceMs) Die("no answer for 60 s");
      for (int i = 0; i < count; ++i) Serve(ready[i].data.u64);
    }
    return Print();
  }

 private:
  // The number of a client, and which of its connections.
  static uint64_t Key(size_t index, bool is_prefill) { return index * 2 + (is_prefill ? 1 : 0); }

  [[nodiscard]] bool IsDone() const {
    if (options_.hold_seconds > 0) return Clock::now() - begin_ > std::chrono::seconds(options_.hold_seconds);
    return answered_ + cut_ + wrong_ >= options_.requests;
  }

  [[nodiscard]] int WaitMs() const {
    if (options_.hold_seconds > 0) return 100;
    if (next_ == clients_.size()) return kPatienceMs;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(clients_[next_].start_at - Clock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  void StartWhatIsDue() {
    const auto now = Clock::now();
    for (; next_ < clients_.size() && clients_[next_].start_at <= now; ++next_) Begin(next_);
  }

  void Connect(size_t index, std::optional<Socket>& socket, uint16_t port, bool is_prefill) const {
    if (socket.has_value()) return;
    socket.emplace(Socket::Connect(port));
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = Key(index, is_prefill)}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket->fd(), &event);
  }

  void Begin(size_t index) {
    Client& client = clients_[index];
    client.is_busy = sent_ < options_.requests;
    if (!client.is_busy) return;
    ++sent_;
    Connect(index, client.decode, options_.port, false);
    if (options_.is_direct) Connect(index, client.prefill, options_.prefill_port, true);
    client.is_prefilling = options_.is_direct;
    client.has_first = false;
    client.answer = {};
    client.begin = Clock::now();
    if (client.is_prefilling) {
      client.prefill->Write(prefill_request_);
    } else {
      client.decode->Write(request_);
    }
  }

  void Serve(uint64_t key) {
    const size_t index = key / 2;
    Client& client = clients_[index];
    const bool is_prefill = key % 2 == 1;
    std::optional<Socket>& socket = is_prefill ? client.prefill : client.decode;
    if (!socket.has_value()) return;
    socket->Flush();
    bool closed = false;
    bool is_complete = false;
    for (std::string_view piece = socket->Read(closed); !piece.empty(); piece = socket->Read(closed)) {
      is_complete = client.answer.Take(piece);
      TakeFirst(client);
    }
    if (is_complete) return End(index);
    if (closed) Cut(index);
  }

  // The time to the first event, or to the answer if it is in one piece.
  void TakeFirst(Client& client) {
    const bool is_there = options_.events > 0 ? client.answer.events() > 0 : client.answer.has_begun();
    if (client.is_prefilling || client.has_first || !is_there) return;
    client.has_first = true;
    firsts_us_.push_back(std::chrono::duration<float, std::micro>(Clock::now() - client.begin).count());
  }

  void End(size_t index) {
    Client& client = clients_[index];
    if (client.is_prefilling) {
      if (!client.answer.is_ok()) Die("the prefill server refused");
      client.is_prefilling = false;
      client.answer = {};
      client.decode->Write(request_);
      return;
    }
    events_ += client.answer.events();
    const bool is_right = client.answer.is_ok() && client.answer.events() == options_.events;
    ++(is_right ? answered_ : wrong_);
    Begin(index);
  }

  void Cut(size_t index) {
    Client& client = clients_[index];
    client.decode.reset();
    client.prefill.reset();
    if (!client.is_busy) return;
    events_ += client.answer.events();
    ++cut_;
    Begin(index);
  }

  int Print() {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    std::sort(firsts_us_.begin(), firsts_us_.end());
    const auto quantile = [this](double share) {
      if (firsts_us_.empty()) return 0.0F;
      return firsts_us_[std::min(firsts_us_.size() - 1, static_cast<size_t>(share * firsts_us_.size()))];
    };
    std::printf(
        "{\"answered\": %llu, \"cut\": %llu, \"wrong\": %llu, \"begun\": %zu, \"events\": %llu, \"seconds\": %.4f, "
        "\"first_p50_us\": %.1f, \"first_p99_us\": %.1f}\n",
        static_cast<unsigned long long>(answered_), static_cast<unsigned long long>(cut_),
        static_cast<unsigned long long>(wrong_), firsts_us_.size(), static_cast<unsigned long long>(events_), seconds,
        quantile(0.5), quantile(0.99));
    return wrong_ == 0 ? 0 : 1;
  }

  const Options& options_;
  const int epoll_;
  const std::string request_;
  const std::string prefill_request_;
  std::vector<Client> clients_;
  size_t next_ = 0;  // of clients_, to be started
  uint64_t sent_ = 0;
  uint64_t answered_ = 0;
  uint64_t cut_ = 0;
  uint64_t wrong_ = 0;
  uint64_t events_ = 0;
  Clock::time_point begin_;
  std::vector<float> firsts_us_;
};

Options Parse(int argc, char** argv) {
  if (argc < kArgumentsMin) {
    Die("usage: stream_load REQUESTS CONNECTIONS EVENTS INTERVAL-US BODY PORT [PREFILL-PORT direct|proxied] [SECONDS]");
  }
  std::ifstream file(argv[5]);
  Options options{.requests = std::stoull(argv[1]),
                  .connections = std::stoull(argv[2]),
                  .events = std::stoull(argv[3]),
                  .interval_us = std::stoull(argv[4]),
                  .body = std::string(std::istreambuf_iterator<char>(file), {}),
                  .port = static_cast<uint16_t>(std::stoi(argv[6]))};
  if (argc > 8) {
    options.prefill_port = static_cast<uint16_t>(std::stoi(argv[7]));
    options.is_direct = std::string_view(argv[8]) == "direct";
  }
  if (argc == 8 || argc == 10) options.hold_seconds = std::stoi(argv[argc - 1]);
  return options;
}

}  // namespace
}  // namespace spanloom::bench

int main(int argc, char** argv) {
  const spanloom::bench::Options options = spanloom::bench::Parse(argc, argv);
  return spanloom::bench::StreamLoad(options).Run();
}
