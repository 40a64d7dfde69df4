// SPDX-License-Identifier: Apache-2.0

#include "net/http.h"

#include <utility>

#include "base/check.h"
#include "net/detail/server_exchange.h"

namespace spanloom::net {
namespace {

// The signal of an exchange; it shares the exchange.
template <typename Exchange>
CancelSignal SignalOf(const std::shared_ptr<Exchange>& exchange) {
  return CancelSignal(std::shared_ptr<CancelState>(exchange, &exchange->cancel_state()));
}

// Gathers a streamed answer.
class SinkExchange final : public HttpServerExchange {
 public:
  explicit SinkExchange(HttpResponder::Sink sink) : sink_(std::move(sink)) {}

  void Respond(HttpResponse response) override { std::exchange(sink_, nullptr)(std::move(response)); }
  void Begin(HttpResponse head) override { head_ = std::move(head); }
  void Write(Bytes piece, WriteDone done) override {
    body_.append(piece.view());
    done(absl::OkStatus());
  }
  void End() override {
    head_.body = Bytes(std::move(body_));
    Respond(std::move(head_));
  }
  void Abort() override { Respond(TextResponse(500, "500 the answer was broken off")); }
  void Read(PieceDone done) override { done(Bytes()); }

 private:
  HttpResponder::Sink sink_;
  HttpResponse head_;
  std::string body_;
};

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

HttpBodyWriter::HttpBodyWriter(std::shared_ptr<HttpServerExchange> exchange) : exchange_(std::move(exchange)) {}
HttpBodyWriter::HttpBodyWriter(HttpBodyWriter&&) noexcept = default;

HttpBodyWriter& HttpBodyWriter::operator=(HttpBodyWriter&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

HttpBodyWriter::~HttpBodyWriter() {
  if (exchange_ != nullptr) exchange_->Abort();
}

void HttpBodyWriter::Write(Bytes piece, WriteDone done) {
  CHECK(exchange_ != nullptr);
  exchange_->Write(std::move(piece), std::move(done));
}

void HttpBodyWriter::Finish() && {
  CHECK(exchange_ != nullptr);  // a body ends once
  std::exchange(exchange_, nullptr)->End();
}

CancelSignal HttpBodyWriter::cancel_signal() const {
  return exchange_ == nullptr ? CancelSignal() : SignalOf(exchange_);
}

HttpBodyReader::HttpBodyReader(std::shared_ptr<HttpServerExchange> exchange) : exchange_(std::move(exchange)) {}

void HttpBodyReader::Read(PieceDone done) {
  exchange_->Read(std::move(done));
}

HttpResponder::HttpResponder(std::shared_ptr<HttpServerExchange> exchange) : exchange_(std::move(exchange)) {}
HttpResponder::HttpResponder(Sink sink) : exchange_(std::make_shared<SinkExchange>(std::move(sink))) {}
HttpResponder::HttpResponder(HttpResponder&&) noexcept = default;

HttpResponder& HttpResponder::operator=(HttpResponder&& other) noexcept {
  std::swap(exchange_, other.exchange_);
  return *this;
}

HttpResponder::~HttpResponder() {
  if (exchange_ != nullptr) exchange_->Respond(TextResponse(500, "500 the request was dropped without an answer"));
}

void HttpResponder::Respond(HttpResponse response) && {
  CHECK(exchange_ != nullptr);  // a request is answered once
  std::exchange(exchange_, nullptr)->Respond(std::move(response));
}

HttpBodyWriter HttpResponder::Stream(HttpResponse head) && {
  CHECK(exchange_ != nullptr && head.body.empty());
  exchange_->Begin(std::move(head));
  return HttpBodyWriter(std::exchange(exchange_, nullptr));
}

CancelSignal HttpResponder::cancel_signal() const {
  return exchange_ == nullptr ? CancelSignal() : SignalOf(exchange_);
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
