// SPDX-License-Identifier: Apache-2.0
//
// The messages of grpc.testing.TestService that the interoperability cases use. Field numbers:
// src/proto/grpc/testing/messages.proto of grpc/grpc.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::interop {

struct EchoStatus {
  int32_t code = 0;
  std::string message;
};

// SimpleRequest, of UnaryCall.
struct SimpleRequest {
  uint32_t response_size = 0;  // bytes of payload asked for
  std::string payload = {};
  std::optional<bool> wants_compressed_answer = {};
  std::optional<bool> is_compressed = {};  // what the client says of this message
  std::optional<EchoStatus> status = {};   // to answer with

  [[nodiscard]] std::string Encode() const;
  // kInvalidArgument for what is not a message.
  static StatusOr<SimpleRequest> Parse(std::string_view wire);
};

// StreamingOutputCallRequest, of StreamingOutputCall and of the two duplex calls.
struct StreamingOutputRequest {
  std::vector<uint32_t> response_sizes = {};  // bytes of payload asked for, a message each
  std::string payload = {};
  std::optional<EchoStatus> status = {};  // to end with, in place of the messages

  [[nodiscard]] std::string Encode() const;
  static StatusOr<StreamingOutputRequest> Parse(std::string_view wire);
};

// StreamingInputCallRequest.
struct StreamingInputRequest {
  std::string payload = {};
  std::optional<bool> is_compressed = {};  // what the client says of this message

  [[nodiscard]] std::string Encode() const;
  static StatusOr<StreamingInputRequest> Parse(std::string_view wire);
};

// StreamingInputCallResponse: how many bytes of payload came.
std::string EncodeAggregatedSize(size_t bytes);
StatusOr<size_t> ParseAggregatedSize(std::string_view wire);

// Field 1 of SimpleResponse and of the streaming messages: a Payload with this body.
std::string EncodePayload(std::string_view body);
StatusOr<std::string> ParsePayload(std::string_view wire);

}  // namespace spanloom::interop
