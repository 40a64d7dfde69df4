// SPDX-License-Identifier: Apache-2.0
//
// A streamed answer that is written piece by piece, faster than the client takes it if need be.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/http.h"

namespace spanloom::llmd::simulator {

inline constexpr size_t kStreamBytesMax = 4 << 20;  // that wait for a slow client; beyond it is cut off. Guess

// Bound to its connection's loop.
class BodyStream : public std::enable_shared_from_this<BodyStream> {
 public:
  explicit BodyStream(net::HttpBodyWriter writer) : writer_(std::move(writer)) {}

  // Sends `events` soon, behind what waits. False if the stream was cut off.
  bool Write(std::string_view events);
  // Ends the stream behind what waits.
  void Finish();

 private:
  void Pump();

  net::HttpBodyWriter writer_;
  std::string waiting_;
  bool is_writing_ = false;
  bool is_finishing_ = false;
  bool is_closed_ = false;  // ended, or cut off
};

}  // namespace spanloom::llmd::simulator
