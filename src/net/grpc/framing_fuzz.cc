// SPDX-License-Identifier: Apache-2.0
//
// Whatever bytes come as a unary call's stream: they are refused or taken the same, whole or in pieces. The first byte
// says how large the pieces are and how the stream is encoded.

#include <algorithm>

#include "base/check.h"
#include "net/grpc/framing.h"

namespace {

using spanloom::net::Compression;
using spanloom::net::grpc::MessageReader;

constexpr size_t kMessageBytesMax = 64 << 10;

absl::StatusOr<spanloom::Bytes> Read(std::string_view stream, size_t piece_bytes, Compression compression) {
  MessageReader reader(kMessageBytesMax);
  while (!stream.empty()) {
    RETURN_IF_ERROR(reader.Append(stream.substr(0, piece_bytes)));
    stream.remove_prefix(std::min(piece_bytes, stream.size()));
  }
  return std::move(reader).Finish(compression);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t piece_bytes = 1 + (data[0] >> 2);
  const auto compression = static_cast<Compression>(data[0] % 3);
  const auto whole = Read(stream, std::max<size_t>(stream.size(), 1), compression);
  const auto pieces = Read(stream, piece_bytes, compression);
  CHECK(whole.status() == pieces.status());
  if (!whole.ok()) return 0;
  CHECK(whole->view() == pieces->view());
  CHECK(whole->size() <= kMessageBytesMax);
  return 0;
}
