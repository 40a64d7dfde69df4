// SPDX-License-Identifier: Apache-2.0
//
// Length-prefixed messages: one byte "compressed", four bytes of length in network order, the message
// (doc/PROTOCOL-HTTP2.md of grpc/grpc). Unary calls have exactly one in each direction.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "net/compression.h"
#include "net/detail/body_buffer.h"

namespace spanloom::net::grpc {

inline constexpr size_t kPrefixBytes = 5;

// The prefix of a message of `bytes` bytes.
[[nodiscard]] std::string MessagePrefix(bool compressed, size_t bytes);

// A message as it was sent.
struct SentMessage {
  Bytes content;
  bool is_compressed = false;
};

// Undoes the compression of `message`; `compression` is the stream's grpc-encoding. Errors: kInternal if it is not of
// its encoding; kResourceExhausted if it has more than `bytes_max` bytes then.
[[nodiscard]] StatusOr<Bytes> InflateMessage(SentMessage message, Compression compression, size_t bytes_max);

// The same on a loop: nullopt if that would take it too long (DecompressOnLoop).
[[nodiscard]] std::optional<StatusOr<Bytes>> InflateMessageOnLoop(const SentMessage& message, Compression compression,
                                                                  size_t bytes_max);

// Puts messages together from the pieces of a stream. Thread-compatible.
class MessageReader {
 public:
  // A message may have at most `bytes_max` bytes as sent. What is allocated is taken from `held`, which may be null and
  // must outlive the reader.
  explicit MessageReader(size_t bytes_max, HeldBytes* held = nullptr)
      : bytes_max_(bytes_max), message_(0, held), held_(held) {}

  // Takes the next piece of the one message of a unary call. After an error the reader must not be used. Errors:
  // kResourceExhausted, as soon as a larger message is declared; kInternal for a bad "compressed" byte; kUnavailable if
  // the budget is used up; kUnimplemented for a byte after the message (statuscodes.md: "cardinality violation").
  Status Append(std::string_view piece);

  // Takes from the front of `piece` what belongs to the message under way. Errors: as Append, but the last.
  Status AppendFront(std::string_view& piece);

  [[nodiscard]] size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] bool is_empty() const { return prefix_bytes_ == 0; }
  [[nodiscard]] bool is_complete() const { return PrefixIsComplete() && message_.size() == declared_bytes(); }
  // The length of the message under way; 0 until it is known.
  [[nodiscard]] size_t declared_bytes() const;

  // The message, which must be complete. The reader is ready for the next one.
  [[nodiscard]] SentMessage Take();

  // The message at the end of a unary call, as sent. Errors: kUnimplemented if there was none; kInternal if it was cut
  // short.
  StatusOr<SentMessage> TakeLast();

  // The same, decompressed. Errors: also those of InflateMessage.
  StatusOr<Bytes> Finish(Compression compression) &&;

 private:
  Status AppendPrefix(std::string_view& piece);
  Status CheckPrefix() const;
  [[nodiscard]] bool PrefixIsComplete() const { return prefix_bytes_ == kPrefixBytes; }

  size_t bytes_max_;
  std::array<uint8_t, kPrefixBytes> prefix_{};
  size_t prefix_bytes_ = 0;  // [0, kPrefixBytes], how many have arrived
  BodyBuffer message_;
  HeldBytes* held_;
};

}  // namespace spanloom::net::grpc
