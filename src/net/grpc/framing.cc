// SPDX-License-Identifier: Apache-2.0

#include "net/grpc/framing.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net::grpc {
namespace {

Status TooLarge(size_t bytes, size_t bytes_max) {
  return absl::ResourceExhaustedError(
      StrCat("grpc: received message larger than max (", bytes, " vs. ", bytes_max, ")"));
}

Status NotEncoded() {
  return absl::InternalError("grpc: compressed flag set with identity or empty encoding");
}

Status InflationFailed(const Status& error, size_t bytes_max) {
  if (absl::IsResourceExhausted(error)) {
    return absl::ResourceExhaustedError(
        StrCat("grpc: received message after decompression larger than max ", bytes_max));
  }
  return absl::InternalError(StrCat("grpc: failed to decompress the received message: ", error.message()));
}

}  // namespace

std::string MessagePrefix(bool compressed, size_t bytes) {
  return {static_cast<char>(compressed), static_cast<char>(bytes >> 24), static_cast<char>(bytes >> 16),
          static_cast<char>(bytes >> 8), static_cast<char>(bytes)};
}

size_t MessageReader::declared_bytes() const {
  return static_cast<size_t>(prefix_[1]) << 24 | static_cast<size_t>(prefix_[2]) << 16 |
         static_cast<size_t>(prefix_[3]) << 8 | prefix_[4];
}

Status MessageReader::Append(std::string_view piece) {
  RETURN_IF_ERROR(AppendFront(piece));
  if (piece.empty()) return absl::OkStatus();
  return absl::UnimplementedError("grpc: received more than one message for a unary method");
}

Status MessageReader::AppendFront(std::string_view& piece) {
  if (!PrefixIsComplete()) RETURN_IF_ERROR(AppendPrefix(piece));
  const std::string_view content = piece.substr(0, declared_bytes() - message_.size());
  if (!message_.Append(content)) return BudgetUsedUp();
  piece.remove_prefix(content.size());
  return absl::OkStatus();
}

Status MessageReader::AppendPrefix(std::string_view& piece) {
  const size_t bytes = std::min(piece.size(), kPrefixBytes - prefix_bytes_);
  std::copy_n(piece.begin(), bytes, prefix_.begin() + prefix_bytes_);
  prefix_bytes_ += bytes;
  piece.remove_prefix(bytes);
  if (!PrefixIsComplete()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckPrefix());
  message_ = BodyBuffer(declared_bytes(), held_);
  return absl::OkStatus();
}

Status MessageReader::CheckPrefix() const {
  if (prefix_[0] > 1) {
    return absl::InternalError(StrCat("grpc: received unexpected payload format ", static_cast<int>(prefix_[0])));
  }
  return declared_bytes() > bytes_max_ ? TooLarge(declared_bytes(), bytes_max_) : absl::OkStatus();
}

SentMessage MessageReader::Take() {
  CHECK(is_complete());
  prefix_bytes_ = 0;
  const bool is_compressed = prefix_[0] == 1;
  prefix_ = {};
  return {.content = message_.Take(), .is_compressed = is_compressed};
}

StatusOr<SentMessage> MessageReader::TakeLast() {
  if (is_complete()) return Take();
  if (is_empty()) return absl::UnimplementedError("grpc: received no message for a unary method");
  return absl::InternalError("grpc: the stream ended inside a message (unexpected EOF)");
}

StatusOr<Bytes> MessageReader::Finish(Compression compression) && {
  ASSIGN_OR_RETURN(SentMessage message, TakeLast());
  return InflateMessage(std::move(message), compression, bytes_max_);
}

std::optional<StatusOr<Bytes>> InflateMessageOnLoop(const SentMessage& message, Compression compression,
                                                    size_t bytes_max) {
  if (!message.is_compressed) return message.content;
  if (compression == Compression::kNone) return NotEncoded();
  std::optional<StatusOr<Bytes>> inflated = DecompressOnLoop(compression, message.content.view(), bytes_max);
  if (inflated.has_value() && !inflated->ok()) return InflationFailed(inflated->status(), bytes_max);
  return inflated;
}

StatusOr<Bytes> InflateMessage(SentMessage message, Compression compression, size_t bytes_max) {
  if (!message.is_compressed) return std::move(message.content);
  if (compression == Compression::kNone) return NotEncoded();
  StatusOr<Bytes> inflated = Decompress(compression, message.content.view(), bytes_max);
  return inflated.ok() ? std::move(inflated) : InflationFailed(inflated.status(), bytes_max);
}

}  // namespace spanloom::net::grpc
