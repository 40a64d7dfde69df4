// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/message.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <utility>

#include "base/text.h"
#include "net/detail/http_rules.h"
#include "net/upgrade.h"

namespace spanloom::net::http1 {
namespace {

namespace http = boost::beast::http;

std::string_view View(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// The path and query of a request target, without the scheme and authority of a URL (RFC 9112, 3.2.2), whose path may
// be missing; nullopt if it is neither.
std::optional<std::string_view> PathOf(std::string_view target) {
  if (target.starts_with('/') || target == "*") return target;
  if (!ToLower(target.substr(0, 7)).starts_with("http://")) return std::nullopt;
  return target.substr(std::min(target.find_first_of("/?", 7), target.size()));
}

// Perhaps an empty one, which says that the target has no authority (RFC 9112, 3.2).
bool HasHost(const HttpHeaders& headers) {
  const auto& fields = headers.fields();
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) { return field.first == "host"; });
}

void AppendField(std::string_view name, std::string_view value, std::string& out) {
  StrAppend(out, name, ": ", value, "\r\n");
}

// The lines that change the protocol of the connection, if there are to be any.
void AppendUpgrade(const HttpHeaders& headers, std::string& out) {
  const std::string_view protocol = headers.Get("upgrade");
  if (protocol.empty()) return;
  AppendField("connection", "upgrade", out);
  AppendField("upgrade", CleanHeaderValue(std::string(protocol)), out);
}

void AppendLength(const HttpResponse& response, BodyLength length, std::string& out) {
  const uint64_t bytes = response.body_bytes.value_or(response.body.size());
  if (length == BodyLength::kContentLength) AppendField("content-length", StrCat(bytes), out);
  if (length == BodyLength::kChunked) AppendField("transfer-encoding", "chunked", out);
}

void AppendFields(const HttpHeaders& headers, std::string& out) {
  for (const auto& [name, value] : headers.fields()) {
    const std::string lower_name = ToLower(name);
    if (!IsConnectionHeader(lower_name)) AppendField(lower_name, CleanHeaderValue(value), out);
  }
}

}  // namespace

std::optional<HttpRequest> ToRequest(const http::request_header<>& header) {
  const std::optional<std::string_view> target = PathOf(View(header.target()));
  if (!target) return std::nullopt;
  if (header.version() >= 11 && header.count(http::field::host) != 1) return std::nullopt;  // RFC 9112, 3.2
  const size_t question_mark = std::min(target->find('?'), target->size());
  HttpRequest request;
  request.method = View(header.method_string());
  request.path = question_mark == 0 ? "/" : target->substr(0, question_mark);
  request.query = target->substr(std::min(question_mark + 1, target->size()));
  request.headers = ToHeaders(header);
  return request;
}

HttpHeaders ToHeaders(const http::fields& fields) {
  HttpHeaders headers;
  for (const auto& field : fields) headers.Add(ToLower(View(field.name_string())), std::string(View(field.value())));
  return headers;
}

std::string ResponseHead(const HttpResponse& response, BodyLength length, bool keep_alive, bool is_http10,
                         std::string_view date) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  std::string head = StrCat("HTTP/1.1 ", response.status, " ", View(reason), "\r\n");
  AppendFields(response.headers, head);
  if (response.headers.Get("date").empty()) AppendField("date", date, head);
  if (MayHaveBody(response.status)) AppendLength(response, length, head);
  if (response.status == kSwitchingProtocols) {
    AppendUpgrade(response.headers, head);
    keep_alive = true;
  }
  if (!keep_alive) AppendField("connection", "close", head);
  if (keep_alive && is_http10) AppendField("connection", "keep-alive", head);
  head.append("\r\n");
  return head;
}

std::string RequestHead(const HttpRequest& request, std::string_view host, std::optional<uint64_t> body_bytes) {
  const std::string_view separator = request.query.empty() ? "" : "?";
  const std::string target = CleanHeaderValue(StrCat(request.path, separator, request.query));
  std::string head = StrCat(request.method, " ", target, " HTTP/1.1\r\n");
  if (!HasHost(request.headers)) AppendField("host", host, head);
  AppendFields(request.headers, head);
  AppendUpgrade(request.headers, head);
  if (!body_bytes.has_value()) {
    AppendField("transfer-encoding", "chunked", head);
  } else if (*body_bytes > 0 || (request.method != "GET" && request.method != "HEAD")) {
    AppendField("content-length", StrCat(*body_bytes), head);
  }
  head.append("\r\n");
  return head;
}

}  // namespace spanloom::net::http1
