// SPDX-License-Identifier: Apache-2.0
//
// The floor: nghttp2 and a socket, nothing else. Takes the body of a gRPC call into one buffer and answers an empty
// message. One thread; prints its port.

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "socket.h"

namespace spanloom::bench {
namespace {

constexpr int kEventsMax = 64;
constexpr std::string_view kEmptyMessage("\0\0\0\0\0", 5);
constexpr int32_t kStreamWindowBytes = 1 << 20;
constexpr int32_t kConnectionWindowBytes = 8 << 20;

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

struct Peer {
  explicit Peer(int fd) : socket(fd) {}
  ~Peer() { nghttp2_session_del(session); }
  Socket socket;
  nghttp2_session* session = nullptr;
  std::unordered_map<int32_t, std::string> bodies;  // by stream id
};

ssize_t ReadAnswer(nghttp2_session* session, int32_t stream_id, uint8_t* to, size_t, uint32_t* flags,
                   nghttp2_data_source*, void*) {
  std::memcpy(to, kEmptyMessage.data(), kEmptyMessage.size());
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const nghttp2_nv trailer = Field("grpc-status", "0");
  nghttp2_submit_trailer(session, stream_id, &trailer, 1);
  return static_cast<ssize_t>(kEmptyMessage.size());
}

int OnBody(nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* bytes, size_t size, void* user) {
  std::string& body = static_cast<Peer*>(user)->bodies[stream_id];
  if (body.empty() && size >= 5) {
    body.reserve(5 + (size_t{bytes[1]} << 24 | size_t{bytes[2]} << 16 | size_t{bytes[3]} << 8 | size_t{bytes[4]}));
  }
  body.append(reinterpret_cast<const char*>(bytes), size);
  return 0;
}

int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void*) {
  const bool is_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!is_request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  const std::array<nghttp2_nv, 2> headers = {Field(":status", "200"), Field("content-type", "application/grpc")};
  const nghttp2_data_provider provider{.source = {}, .read_callback = &ReadAnswer};
  nghttp2_submit_response(session, frame->hd.stream_id, headers.data(), headers.size(), &provider);
  return 0;
}

int OnStreamClosed(nghttp2_session*, int32_t stream_id, uint32_t, void* user) {
  static_cast<Peer*>(user)->bodies.erase(stream_id);
  return 0;
}

nghttp2_session_callbacks* Callbacks() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &OnBody);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &OnFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &OnStreamClosed);
  return callbacks;
}

void Accept(int epoll, int listener) {
  static nghttp2_session_callbacks* const callbacks = Callbacks();
  const int fd = ::accept(listener, nullptr, nullptr);
  if (fd < 0) return;
  auto* peer = new Peer(fd);  // deleted when it closes
  nghttp2_session_server_new(&peer->session, callbacks, peer);
  const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes};
  nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(peer->session, NGHTTP2_FLAG_NONE, 0, kConnectionWindowBytes);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = peer}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

// False at the end of the connection.
bool Serve(Peer& peer) {
  bool closed = false;
  const std::string_view piece = peer.socket.Read(closed);
  if (closed) return false;
  if (nghttp2_session_mem_recv(peer.session, reinterpret_cast<const uint8_t*>(piece.data()), piece.size()) < 0) {
    return false;
  }
  std::string frames;
  const uint8_t* bytes = nullptr;
  for (ssize_t size = nghttp2_session_mem_send(peer.session, &bytes); size > 0;
       size = nghttp2_session_mem_send(peer.session, &bytes)) {
    frames.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  return peer.socket.Write(frames);  // answers are far smaller than a socket's buffer
}

[[noreturn]] void Run() {
  const Listener listener = Listen();
  const int epoll = ::epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener.fd, &event);
  std::printf("%u\n", listener.port);
  std::fflush(stdout);
  epoll_event events[kEventsMax];
  for (;;) {
    const int count = ::epoll_wait(epoll, events, kEventsMax, -1);
    for (int i = 0; i < count; ++i) {
      auto* peer = static_cast<Peer*>(events[i].data.ptr);
      if (peer == nullptr) {
        Accept(epoll, listener.fd);
      } else if (!Serve(*peer)) {
        delete peer;
      }
    }
  }
}

}  // namespace
}  // namespace spanloom::bench

int main() {
  spanloom::bench::Run();
}
