// SPDX-License-Identifier: Apache-2.0
//
// Whatever bytes a client sends as the header of a request: what ToRequest makes of it keeps its promises, and what
// RequestHead and ResponseHead write of that again is one message, with the same fields and no more.

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "net/detail/asio.h"
#include "net/detail/http1/message.h"
#include "net/detail/http_rules.h"

namespace {

using namespace spanloom;
using namespace spanloom::net;
namespace http = boost::beast::http;

using RequestParser = http::request_parser<http::empty_body>;
using ResponseParser = http::response_parser<http::empty_body>;

// Parses a whole header; false if it is none. Returns in `used` where it ends.
template <typename Parser>
bool Parse(Parser& parser, std::string_view bytes, size_t& used) {
  parser.header_limit(64 << 10);
  parser.eager(false);
  error_code error;
  used = parser.put(asio::buffer(bytes.data(), bytes.size()), error);
  return !error && parser.is_header_done();
}

// The fields that are not about the connection, as they are written again.
std::vector<std::pair<std::string, std::string>> Kept(const HttpHeaders& headers) {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const auto& [name, value] : headers.fields()) {
    CHECK(name == ToLower(name));
    if (!IsConnectionHeader(name)) kept.emplace_back(name, CleanHeaderValue(value));
  }
  return kept;
}

void CheckRequest(const HttpRequest& request) {
  CHECK(!request.method.empty());
  CHECK(request.path.starts_with('/') || request.path == "*");
  CHECK(request.path.find('?') == std::string::npos);
}

void CheckWrittenRequest(const HttpRequest& request) {
  for (const std::optional<uint64_t> length : {std::optional<uint64_t>(0), std::optional<uint64_t>()}) {
    const std::string head = http1::RequestHead(request, "example", length);
    RequestParser parser;
    size_t used = 0;
    CHECK(Parse(parser, head, used));
    CHECK(used == head.size());
    const std::optional<HttpRequest> again = http1::ToRequest(parser.get().base());
    CHECK(again.has_value());
    CHECK(again->method == request.method && again->path == request.path && again->query == request.query);
    CHECK(Kept(again->headers) == Kept(request.headers));
    CHECK(parser.chunked() == !length.has_value());
  }
}

void CheckWrittenResponse(const HttpRequest& request, int status) {
  HttpResponse response;
  response.status = status;
  response.headers = request.headers;
  response.headers.Set("date", "now");
  const std::string head = ResponseHead(response, http1::BodyLength::kContentLength, true, false, "");
  ResponseParser parser;
  size_t used = 0;
  CHECK(Parse(parser, head, used));
  CHECK(used == head.size());
  CHECK(parser.get().result_int() == static_cast<unsigned>(status));
  CHECK(Kept(http1::ToHeaders(parser.get().base())) == Kept(response.headers));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  RequestParser parser;
  size_t used = 0;
  if (!Parse(parser, bytes, used)) return 0;
  const std::optional<HttpRequest> request = http1::ToRequest(parser.get().base());
  if (!request.has_value()) return 0;
  CheckRequest(*request);
  if (parser.get().version() >= 11) CheckWrittenRequest(*request);
  CheckWrittenResponse(*request, 200 + data[0]);
  return 0;
}
