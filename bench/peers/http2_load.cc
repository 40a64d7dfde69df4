// SPDX-License-Identifier: Apache-2.0

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

#include "load.h"
#include "socket.h"

namespace spanloom::bench {
namespace {

constexpr int kEventsMax = 64;
constexpr std::chrono::seconds kPatience{30};  // without an answer
constexpr int32_t kWindowBytes = 1 << 30;      // the generator never holds the server back

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

struct Call {
  std::string message;  // with its prefix
  size_t sent_bytes = 0;
  LoadResult::Clock::time_point begin;
  bool is_http_ok = false;
  std::string grpc_status;
};

class Http2Load;

struct Http2Client {
  Http2Client(Http2Load& owner, Socket opened) : load(owner), socket(std::move(opened)) {}
  ~Http2Client() { nghttp2_session_del(session); }
  Http2Load& load;
  Socket socket;
  nghttp2_session* session = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Call>> calls;  // by stream id
};

class Http2Load {
 public:
  Http2Load(const LoadOptions& options, RequestBody& body);
  LoadResult Run();

 private:
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user);
  static int OnStreamClosed(nghttp2_session*, int32_t stream_id, uint32_t error_code, void* user);
  static ssize_t ReadMessage(nghttp2_session*, int32_t, uint8_t* to, size_t size, uint32_t* flags,
                             nghttp2_data_source* source, void*);
  [[nodiscard]] bool is_paced() const { return options_.rate > 0; }
  // When the next request is to be sent; all are sent, or as many are under way as may be: nothing.
  [[nodiscard]] std::optional<LoadResult::Clock::time_point> NextDue() const;
  void SendDue();
  int Wait(std::span<epoll_event> events) const;
  void Open(nghttp2_session_callbacks* callbacks);
  void Send(Http2Client& client);
  void Serve(Http2Client& client);
  void Write(Http2Client& client);

  const LoadOptions& options_;
  RequestBody& body_;
  const int epoll_ = ::epoll_create1(0);
  std::vector<std::unique_ptr<Http2Client>> clients_;
  uint64_t sent_ = 0;
  LoadResult::Clock::time_point begin_;
  LoadResult result_;
};

Http2Load::Http2Load(const LoadOptions& options, RequestBody& body) : options_(options), body_(body) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &OnHeader);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClosed);
  for (int i = 0; i < options.connections; ++i) Open(callbacks);
  nghttp2_session_callbacks_del(callbacks);
}

void Http2Load::Open(nghttp2_session_callbacks* callbacks) {
  clients_.push_back(std::make_unique<Http2Client>(*this, Socket::Connect(options_.port)));
  Http2Client& client = *clients_.back();
  nghttp2_session_client_new(&client.session, callbacks, &client);
  const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes};
  nghttp2_submit_settings(client.session, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(client.session, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &client}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket.fd(), &event);
}

LoadResult Http2Load::Run() {
  begin_ = LoadResult::Clock::now();
  for (const auto& client : clients_) {
    for (int i = 0; i < options_.in_flight && !is_paced(); ++i) Send(*client);
    Write(*client);
  }
  std::array<epoll_event, kEventsMax> events;
  while (result_.count() < options_.requests) {
    if (is_paced()) SendDue();
    const int count = Wait(events);
    for (int i = 0; i < count; ++i) Serve(*static_cast<Http2Client*>(events[i].data.ptr));
  }
  return std::move(result_);
}

std::optional<LoadResult::Clock::time_point> Http2Load::NextDue() const {
  const uint64_t under_way_max = uint64_t(options_.connections) * options_.in_flight;
  if (!is_paced() || sent_ == options_.requests || sent_ - result_.count() >= under_way_max) return std::nullopt;
  const std::chrono::duration<double> since_begin(static_cast<double>(sent_) / options_.rate);
  return begin_ + std::chrono::duration_cast<LoadResult::Clock::duration>(since_begin);
}

void Http2Load::SendDue() {
  for (auto due = NextDue(); due.has_value() && *due <= LoadResult::Clock::now(); due = NextDue()) {
    Http2Client& client = *clients_[sent_ % clients_.size()];
    Send(client);
    Write(client);
  }
}

// How many events came, none if a request is due before.
int Http2Load::Wait(std::span<epoll_event> events) const {
  const auto due = NextDue();
  const auto left = due.has_value() ? *due - LoadResult::Clock::now() : std::chrono::nanoseconds(kPatience);
  const int64_t nanoseconds = std::max<int64_t>(0, std::chrono::nanoseconds(left).count());
  const timespec timeout{.tv_sec = nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
  const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  if (count < 0 || (count == 0 && !due.has_value())) Die("no answer for 30 s");
  return count;
}

void Http2Load::Send(Http2Client& client) {
  if (sent_ >= options_.requests) return;
  ++sent_;
  auto call = std::make_unique<Call>();
  const std::string_view body = body_.Next();
  const auto size = static_cast<uint32_t>(body.size());
  const std::array<char, 5> prefix = {0, static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                                      static_cast<char>(size >> 8), static_cast<char>(size)};
  call->message.reserve(prefix.size() + body.size());
  call->message.append(prefix.data(), prefix.size()).append(body);
  call->begin = LoadResult::Clock::now();
  const std::array<nghttp2_nv, 7> headers = {Field(":method", "POST"),      Field(":scheme", "http"),
                                             Field(":path", options_.path), Field(":authority", "127.0.0.1"),
                                             Field("te", "trailers"),       Field("content-type", "application/grpc"),
                                             Field("user-agent", "load")};
  nghttp2_data_provider provider{.source = {.ptr = call.get()}, .read_callback = &ReadMessage};
  const int32_t stream_id =
      nghttp2_submit_request(client.session, nullptr, headers.data(), headers.size(), &provider, nullptr);
  if (stream_id < 0) Die(nghttp2_strerror(stream_id));
  client.calls.emplace(stream_id, std::move(call));
}

ssize_t Http2Load::ReadMessage(nghttp2_session*, int32_t, uint8_t* to, size_t size, uint32_t* flags,
                               nghttp2_data_source* source, void*) {
  Call& call = *static_cast<Call*>(source->ptr);
  const size_t bytes = std::min(size, call.message.size() - call.sent_bytes);
  std::memcpy(to, call.message.data() + call.sent_bytes, bytes);
  call.sent_bytes += bytes;
  if (call.sent_bytes == call.message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return static_cast<ssize_t>(bytes);
}

int Http2Load::OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                        const uint8_t* value, size_t value_size, uint8_t, void* user) {
  auto& calls = static_cast<Http2Client*>(user)->calls;
  const auto found = calls.find(frame->hd.stream_id);
  if (found == calls.end()) return 0;
  const std::string_view key(reinterpret_cast<const char*>(name), name_size);
  const std::string_view text(reinterpret_cast<const char*>(value), value_size);
  if (key == ":status") found->second->is_http_ok = text == "200";
  if (key == "grpc-status") found->second->grpc_status = text;
  return 0;
}

int Http2Load::OnStreamClosed(nghttp2_session*, int32_t stream_id, uint32_t error_code, void* user) {
  Http2Client& client = *static_cast<Http2Client*>(user);
  Http2Load& load = client.load;
  const auto found = client.calls.find(stream_id);
  const Call& call = *found->second;
  if (call.is_http_ok && call.grpc_status == "0" && error_code == NGHTTP2_NO_ERROR) {
    load.result_.Answered(call.begin);
  } else {
    load.result_.Failed("grpc-status " + call.grpc_status + ", HTTP/2 error " + std::to_string(error_code));
  }
  client.calls.erase(found);
  if (!load.is_paced()) load.Send(client);
  return 0;
}

void Http2Load::Serve(Http2Client& client) {
  if (!client.socket.Flush()) Die("the peer closed");
  bool closed = false;
  for (std::string_view piece = client.socket.Read(closed); !piece.empty(); piece = client.socket.Read(closed)) {
    const ssize_t used =
        nghttp2_session_mem_recv(client.session, reinterpret_cast<const uint8_t*>(piece.data()), piece.size());
    if (used < 0) Die(nghttp2_strerror(static_cast<int>(used)));
  }
  if (closed && !client.calls.empty()) Die("the peer closed with requests under way");
  Write(client);
}

// Frames are gathered, so that one write carries what one read has set off.
void Http2Load::Write(Http2Client& client) {
  std::string frames;
  while (!client.socket.is_waiting()) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(client.session, &bytes);
    if (size > 0) frames.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    const bool is_last = size <= 0;
    if (!is_last && frames.size() < size_t{64} << 10) continue;
    if (!client.socket.Write(frames)) Die("the peer closed");
    frames.clear();
    if (is_last) return;
  }
}

}  // namespace

LoadResult RunGrpc(const LoadOptions& options, RequestBody& body) {
  return Http2Load(options, body).Run();
}

}  // namespace spanloom::bench
