// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/input.h"

namespace spanloom::net::http1 {

std::string_view Input::kept() const {
  return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

std::string_view Input::ReadSome(Loop& loop, Transport& socket, error_code& error) {
  auto& target = loop.internal().read_buffer;
  const size_t bytes = socket.ReadSome(asio::buffer(target), error);
  is_drained_ = bytes < target.size();
  loop.internal().bytes_read += bytes;
  if (buffer_.size() == 0) return {target.data(), bytes};
  buffer_.commit(asio::buffer_copy(buffer_.prepare(bytes), asio::buffer(target, bytes)));
  return kept();
}

void Input::Keep(std::string_view rest) {
  const std::string_view before = kept();
  const bool is_kept = !before.empty() && rest.data() >= before.data() && rest.data() <= before.data() + before.size();
  if (is_kept) return buffer_.consume(before.size() - rest.size());
  buffer_.commit(asio::buffer_copy(buffer_.prepare(rest.size()), asio::buffer(rest)));
}

std::string Input::TakeKept() {
  std::string taken(kept());
  buffer_.consume(buffer_.size());
  Shrink();
  return taken;
}

}  // namespace spanloom::net::http1
