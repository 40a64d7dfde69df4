// SPDX-License-Identifier: Apache-2.0

#include "net/testing/frames.h"

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net::http2 {
namespace {

void AppendNumber(uint32_t value, int bytes, std::string& out) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

}  // namespace

std::string Encode(int type, int flags, uint32_t stream_id, std::string_view payload) {
  std::string frame;
  AppendNumber(static_cast<uint32_t>(payload.size()), 3, frame);
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  AppendNumber(stream_id, 4, frame);
  frame.append(payload);
  return frame;
}

std::string Settings() {
  return Encode(NGHTTP2_SETTINGS, 0, 0, "");
}

std::string GoAwayPayload(uint32_t last_stream_id, uint32_t error_code) {
  std::string payload;
  AppendNumber(last_stream_id, 4, payload);
  AppendNumber(error_code, 4, payload);
  return payload;
}

std::string HeaderBlock(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string block;
  for (const auto& [name, value] : headers) {
    block.push_back('\0');
    block.push_back(static_cast<char>(name.size()));
    block.append(name);
    block.push_back(static_cast<char>(value.size()));
    block.append(value);
  }
  return block;
}

FramePeer::FramePeer(std::unique_ptr<RawPeer> raw) : raw_(std::move(raw)) {
  CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
}

FramePeer::~FramePeer() {
  nghttp2_hd_inflate_del(inflater_);
}

Frame FramePeer::ReadFrame() {
  const std::string head = raw_->Read(9);
  if (head.size() < 9) return {};
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(head[i])); };
  const size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
  const uint32_t stream_id = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
  return {static_cast<int>(byte(3)), static_cast<int>(byte(4)), stream_id, raw_->Read(size)};
}

Frame FramePeer::Await(int type) {
  while (true) {
    Frame frame = ReadFrame();
    if (frame.type == type || frame.closed()) return frame;
    if (frame.type == NGHTTP2_HEADERS) Inflate(frame.payload);  // later headers refer to it
  }
}

std::string FramePeer::Answer(uint32_t stream_id) {
  std::string fields;
  std::string body;
  while (true) {
    const Frame frame = ReadFrame();
    if (frame.closed()) return StrCat(fields, body, "(closed)");
    if (frame.stream_id != stream_id) continue;
    if (frame.type == NGHTTP2_HEADERS) fields += Inflate(frame.payload);
    if (frame.type == NGHTTP2_DATA) body += frame.payload;
    if (frame.type == NGHTTP2_RST_STREAM) return StrCat(fields, body, "(reset ", ErrorCode(frame.payload), ")");
    const bool may_end_stream = frame.type == NGHTTP2_HEADERS || frame.type == NGHTTP2_DATA;
    if (may_end_stream && (frame.flags & NGHTTP2_FLAG_END_STREAM) != 0) return StrCat(fields, body);
  }
}

std::string FramePeer::Inflate(std::string_view block) {
  std::string lines;
  const auto* in = reinterpret_cast<const uint8_t*>(block.data());
  size_t size = block.size();
  int flags = 0;
  while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
    nghttp2_nv field;
    flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, size, 1);
    CHECK(used >= 0);
    in += used;
    size -= static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0) continue;
    lines.append(reinterpret_cast<const char*>(field.name), field.namelen).append(": ");
    lines.append(reinterpret_cast<const char*>(field.value), field.valuelen).append("\n");
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  return lines;
}

}  // namespace spanloom::net::http2
