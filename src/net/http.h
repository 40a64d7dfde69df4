// SPDX-License-Identifier: Apache-2.0
//
// HTTP requests and responses, the same for HTTP/1.1 and HTTP/2. The plain way is values: a request reaches its
// HttpHandler when its last byte has arrived and its Content-Encoding is undone, and is answered with one HttpResponse.
// Who passes bodies on uses streams: an HttpStreamHandler gets a request when its header has arrived and reads the body
// piece by piece, and any handler may answer with a head and a body that is written piece by piece.

#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "net/cancel_signal.h"
#include "net/peer_certificate.h"

namespace spanloom::net {

class HttpServerExchange;  // the connection's side of a request, net/detail/server_exchange.h

// Names in lower case, in order of arrival; repeated names are kept.
class HttpHeaders {
 public:
  void Add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // Leaves `value` as the only one of `name` (lower case), or none if it is "".
  void Set(std::string_view name, std::string value);
  // The first value of `name` (lower case), or "" if there is none.
  [[nodiscard]] std::string_view Get(std::string_view name) const {
    for (const auto& [field_name, value] : fields_) {
      if (field_name == name) return value;
    }
    return {};
  }
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct HttpRequest {
  std::string method = {};   // as sent: "GET", "POST"
  std::string path = {};     // before "?", percent-encoding kept
  std::string query = {};    // after "?", or ""
  HttpHeaders headers = {};  // HTTP/2's :authority appears as "host"
  Bytes body = {};           // decoded
  std::string peer = {};     // "address:port" of the other end
  // Whom the other end has proved to be, by mTLS; null if it was not asked. Shared by a connection's requests.
  std::shared_ptr<const PeerCertificate> peer_certificate = nullptr;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers = {};  // content-length is added by the server
  Bytes body = {};
  // Of a body that is streamed, or that an answer to HEAD leaves out, if it is known: declared as its length. A body
  // that ends otherwise breaks its connection off (HTTP/1.1), or its stream.
  std::optional<uint64_t> body_bytes = {};
};

// Called once, on the connection's loop, perhaps inside Write, when the next piece may be written: OK, or why there is
// no point (kCancelled: the client is gone).
using WriteDone = absl::AnyInvocable<void(Status)>;

// The body of a streamed answer: chunks in HTTP/1.1, DATA frames in HTTP/2. Movable. Thread-compatible; may be used
// from any thread, best from the connection's loop, where nothing is posted. Destroyed without Finish, it aborts: the
// connection is closed (HTTP/1.1), or the stream is reset with INTERNAL_ERROR, so that the client can tell.
class HttpBodyWriter {
 public:
  explicit HttpBodyWriter(std::shared_ptr<HttpServerExchange> exchange);
  HttpBodyWriter(HttpBodyWriter&&) noexcept;
  HttpBodyWriter& operator=(HttpBodyWriter&&) noexcept;
  ~HttpBodyWriter();

  // Sends `piece` soon. One Write at a time: the next one after `done` has run, which it does as soon as less than
  // kBodyQueueBytes wait to be sent. A piece may have any size.
  void Write(Bytes piece, WriteDone done);

  // Ends the body.
  void Finish() &&;

  [[nodiscard]] CancelSignal cancel_signal() const;

 private:
  std::shared_ptr<HttpServerExchange> exchange_;  // shared with the connection; null once finished or moved from
};

inline constexpr size_t kBodyQueueBytes = 64 << 10;  // of a streamed body, waiting to be sent; guess

// The next part of a body; empty at its end. Errors: kCancelled if the client is gone, kDeadlineExceeded (HTTP/1.1) if
// nothing arrived for `ServerLimits::request_max`, kInvalidArgument if the body breaks HTTP's rules.
using PieceDone = absl::AnyInvocable<void(StatusOr<Bytes>)>;

// The body of a request while it arrives, as sent: a Content-Encoding is not undone, and no limit but flow control
// holds. What is not read holds the client back. Threads as HttpBodyWriter. What was not read when the answer ends is
// discarded.
class HttpBodyReader {
 public:
  explicit HttpBodyReader(std::shared_ptr<HttpServerExchange> exchange);

  // `done` runs once, on the connection's loop, perhaps inside this call. One Read at a time; none after the end or an
  // error.
  void Read(PieceDone done);

 private:
  std::shared_ptr<HttpServerExchange> exchange_;  // shared with the connection
};

// Answers one request, once, from any thread. Destroying it unanswered answers 500. Movable.
class HttpResponder {
 public:
  using Sink = absl::AnyInvocable<void(HttpResponse)>;
  explicit HttpResponder(std::shared_ptr<HttpServerExchange> exchange);
  // Passes the answer to `sink`; a streamed one when it is finished. For what stands between a server and a handler.
  explicit HttpResponder(Sink sink);
  HttpResponder(HttpResponder&&) noexcept;
  HttpResponder& operator=(HttpResponder&&) noexcept;
  ~HttpResponder();
  void Respond(HttpResponse response) &&;

  // Sends the status and headers of `head` (its body must be empty) at once, and the body by the writer.
  [[nodiscard]] HttpBodyWriter Stream(HttpResponse head) &&;

  // Raised when the client goes away before the answer is complete.
  [[nodiscard]] CancelSignal cancel_signal() const;

 private:
  std::shared_ptr<HttpServerExchange> exchange_;  // shared with the connection; null once answered or moved from
};

// Called on the loop of the connection. Thread-safe: one handler serves all loops.
using HttpHandler = std::function<void(HttpRequest, HttpResponder)>;

// The same, when the request's header has arrived; `request.body` is empty.
using HttpStreamHandler = std::function<void(HttpRequest, HttpBodyReader, HttpResponder)>;

// A response with a text body and Content-Type `text/plain; charset=utf-8`.
HttpResponse TextResponse(int status, std::string_view text);

// Undoes percent-encoding (and "+" for a space if `plus_is_space`). Malformed escapes stay as they are.
std::string PercentDecode(std::string_view text, bool plus_is_space = false);

// The query's parameters in order, decoded.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace spanloom::net
