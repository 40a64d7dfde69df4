// SPDX-License-Identifier: Apache-2.0
//
// What a connection has read and not yet parsed. It reads into the loop's buffer and keeps what is left of that only
// when it has to wait: a connection that is silent holds no buffer.

#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "net/detail/asio.h"
#include "net/detail/transport.h"

namespace spanloom::net::http1 {

// Sequence-bound: its loop.
class Input {
 public:
  // Keeps `bytes_max` at most; Beast fails with buffer_overflow beyond, and nobody else comes there.
  explicit Input(size_t bytes_max) : buffer_(bytes_max) {}

  // What is kept. Beast reads to its end too.
  [[nodiscard]] boost::beast::flat_buffer& buffer() { return buffer_; }
  [[nodiscard]] size_t size() const { return buffer_.size(); }
  [[nodiscard]] std::string_view kept() const;

  // What has arrived, after what was kept. It may lie in the loop's buffer: valid until the connection waits. Errors as
  // Transport::ReadSome.
  std::string_view ReadSome(Loop& loop, Transport& socket, error_code& error);

  // True if the last ReadSome took all that had arrived, so that another would find nothing.
  [[nodiscard]] bool is_drained() const { return is_drained_; }

  // Keeps `rest`, the end of what was read last or of what was kept, and nothing else.
  void Keep(std::string_view rest);

  // What is kept, which is then not kept any more.
  [[nodiscard]] std::string TakeKept();

  // Gives back what keeping took beyond what is kept.
  void Shrink() { buffer_.shrink_to_fit(); }

 private:
  boost::beast::flat_buffer buffer_;
  bool is_drained_ = false;
};

}  // namespace spanloom::net::http1
