// SPDX-License-Identifier: Apache-2.0
//
// Length-prefixed messages: one byte "compressed", four bytes of length in network order, the message
// (doc/PROTOCOL-HTTP2.md of grpc/grpc). Unary calls have exactly one in each direction.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/compression.h"

namespace spanloom::net::grpc {

inline constexpr size_t kPrefixBytes = 5;

// The prefix of a message of `bytes` bytes.
[[nodiscard]] std::string MessagePrefix(bool compressed, size_t bytes);

// Puts one message together from the pieces of a stream. Reserves the declared length once, after checking it.
// Thread-compatible.
class MessageReader {
 public:
  // A message may have at most `bytes_max` bytes as sent.
  explicit MessageReader(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes the next piece. After an error the reader must not be used. Errors: kResourceExhausted, as soon as a larger
  // message is declared; kInternal for a bad "compressed" byte; kUnimplemented for a byte after the message
  // (statuscodes.md: "cardinality violation").
  Status Append(std::string_view piece);

  // The message at the end of the stream, decompressed. `compression` is the stream's grpc-encoding. Errors:
  // kUnimplemented if there was no message; kInternal if it was cut short or is not of its encoding; kResourceExhausted
  // over `bytes_max`.
  StatusOr<Bytes> Finish(Compression compression) &&;

 private:
  Status AppendPrefix(std::string_view& piece);
  Status CheckPrefix() const;
  [[nodiscard]] bool PrefixIsComplete() const { return prefix_bytes_ == kPrefixBytes; }
  [[nodiscard]] bool compressed() const { return prefix_[0] == 1; }
  [[nodiscard]] size_t declared_bytes() const;

  size_t bytes_max_;
  std::array<uint8_t, kPrefixBytes> prefix_{};
  size_t prefix_bytes_ = 0;  // [0, kPrefixBytes], how many have arrived
  std::string message_;
};

}  // namespace spanloom::net::grpc
