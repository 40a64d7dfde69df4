// SPDX-License-Identifier: Apache-2.0

#include "net/http.h"

#include <utility>

#include "base/check.h"

namespace spanloom::net {
namespace {

// The value of a hexadecimal digit, or -1.
int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// The byte that the escape at the front of `text` ("%2F") stands for, or -1 if there is none.
int EscapedByte(std::string_view text) {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = HexValue(text[1]);
  const int low = HexValue(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

}  // namespace

void HttpHeaders::Set(std::string_view name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return field.first == name; });
  if (!value.empty()) fields_.emplace_back(name, std::move(value));
}

HttpResponder::HttpResponder(Sink sink) : sink_(std::move(sink)) {}

// A moved-from AnyInvocable is valid but unspecified, hence the exchange.
HttpResponder::HttpResponder(HttpResponder&& other) noexcept : sink_(std::exchange(other.sink_, nullptr)) {}

HttpResponder& HttpResponder::operator=(HttpResponder&& other) noexcept {
  std::swap(sink_, other.sink_);
  return *this;
}

HttpResponder::~HttpResponder() {
  if (sink_) sink_(TextResponse(500, "500 the request was dropped without an answer"));
}

void HttpResponder::Respond(HttpResponse response) && {
  CHECK(sink_ != nullptr);  // a request is answered once
  std::exchange(sink_, nullptr)(std::move(response));
}

HttpResponse TextResponse(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.headers.Add("content-type", "text/plain; charset=utf-8");
  response.body = Bytes::CopyOf(text);
  return response;
}

std::string PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (const int byte = EscapedByte(text.substr(i)); byte >= 0) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i] == '+' && plus_is_space ? ' ' : text[i]);
    }
  }
  return decoded;
}

std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    if (parameter.empty()) continue;
    const size_t name_size = std::min(parameter.find('='), parameter.size());
    const std::string_view value = parameter.substr(std::min(name_size + 1, parameter.size()));
    parameters.emplace_back(PercentDecode(parameter.substr(0, name_size), true), PercentDecode(value, true));
  }
  return parameters;
}

}  // namespace spanloom::net
