// SPDX-License-Identifier: Apache-2.0
//
// Boost.Asio as net/ uses it, and what a Loop wraps. Included by sources of net/ and by headers of its subfolders,
// never by a header that others see.

#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "net/detail/date.h"
#include "net/loop.h"

namespace spanloom::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// Of either family, TCP or unix.
using Socket = asio::generic::stream_protocol::socket;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
using Endpoint = asio::generic::stream_protocol::endpoint;

// The event queue of a loop, and the buffers that its connections read into and HTTP/2's write from, one after the
// other: an idle connection holds none.
struct Loop::Internal {
  static constexpr size_t kReadBufferBytes = 64 << 10;  // four frames of HTTP/2's default size; guess

  asio::io_context context{1};
  std::array<char, kReadBufferBytes> read_buffer;
  std::string output;
  uint64_t bytes_read = 0;  // into read_buffer, since the loop began
  DateText date;
};

// Now, for the Date header; valid until the next call on this loop.
inline std::string_view Date(Loop& loop) {
  return loop.internal().date.At(std::time(nullptr));
}

// True if an operation of a socket has nothing to do for now.
inline bool WouldBlock(const error_code& error) {
  return error == asio::error::would_block || error == asio::error::try_again;
}

// The io_context of `loop`, for sockets and coroutines.
inline asio::io_context& Context(Loop& loop) {
  return loop.internal().context;
}

// Runs `coroutine` on `loop`. An exception, which only a lack of memory can cause, ends the process.
inline void Spawn(Loop& loop, asio::awaitable<void> coroutine) {
  asio::co_spawn(Context(loop), std::move(coroutine), [](const std::exception_ptr& exception) {
    if (exception != nullptr) std::rethrow_exception(exception);
  });
}

// A completion token that stores the error instead of throwing it.
inline auto Into(error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

}  // namespace spanloom::net
