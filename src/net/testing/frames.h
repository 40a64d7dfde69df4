// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2 frames by hand, for peers that say what no library would.

#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/testing/net_fixture.h"

namespace spanloom::net::http2 {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct Frame {
  int type = -1;  // -1: the peer closed the connection
  int flags = 0;
  uint32_t stream_id = 0;
  std::string payload = {};

  [[nodiscard]] bool closed() const { return type < 0; }
};

std::string Encode(int type, int flags, uint32_t stream_id, std::string_view payload);

// A SETTINGS frame that changes nothing.
std::string Settings();

// The payload of GOAWAY.
std::string GoAwayPayload(uint32_t last_stream_id, uint32_t error_code);

// HPACK: literals without indexing and without Huffman coding (RFC 7541, 6.2.2); names and values under 127 bytes.
std::string HeaderBlock(const std::vector<std::pair<std::string, std::string>>& headers);

// A peer that knows frames and the compression of headers, and nothing else.
class FramePeer {
 public:
  explicit FramePeer(std::unique_ptr<RawPeer> raw);
  ~FramePeer();
  FramePeer(const FramePeer&) = delete;
  FramePeer& operator=(const FramePeer&) = delete;

  [[nodiscard]] RawPeer& raw() { return *raw_; }
  bool Send(std::string_view bytes) { return raw_->Send(bytes); }

  Frame ReadFrame();

  // The next frame of this type, skipping others; or the end of the connection.
  Frame Await(int type);

  // Reads until `stream_id` ends. Returns its headers and trailers, one "name: value" a line, then its body, then
  // "(reset CODE)" or "(closed)" if it ended that way.
  std::string Answer(uint32_t stream_id);

  // The code in the payload of RST_STREAM, if it is below 256.
  static int ErrorCode(std::string_view payload) { return payload.size() == 4 ? payload[3] : -1; }

 private:
  std::string Inflate(std::string_view block);

  std::unique_ptr<RawPeer> raw_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace spanloom::net::http2
