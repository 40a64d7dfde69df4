// SPDX-License-Identifier: Apache-2.0

#include "sdk/otlp_sender.h"

#include "otlp/http_answer.h"

namespace spanloom::sdk {

StatusOr<std::unique_ptr<OtlpSender>> OtlpSender::Create(net::Loop& loop, OtlpSenderOptions options) {
  std::unique_ptr<OtlpSender> sender(new OtlpSender(std::move(options)));
  const std::string& endpoint = sender->options_.endpoint;
  if (sender->options_.protocol == OtlpProtocol::kGrpc) {
    net::GrpcChannelOptions channel;
    channel.endpoint = endpoint;
    channel.tls = sender->options_.tls;
    channel.user_agent = "spanloom";
    RETURN_IF_ERROR(net::ValidateMetadata(sender->Headers()));
    ASSIGN_OR_RETURN(sender->channel_, net::GrpcChannel::Create(loop, std::move(channel)));
  } else {
    net::HttpClientOptions client;
    client.endpoint = endpoint;
    client.tls = sender->options_.tls;
    ASSIGN_OR_RETURN(sender->client_, net::HttpClient::Create(loop, std::move(client)));
  }
  return sender;
}

net::HttpHeaders OtlpSender::Headers() const {
  net::HttpHeaders headers;
  for (const auto& [name, value] : options_.headers) headers.Add(name, value);
  headers.Set(kOwnTelemetryHeader, "1");
  return headers;
}

void OtlpSender::Send(const Bytes& request, SendDone done) {
  const Bytes body =
      options_.compression == net::Compression::kNone ? request : net::Compress(options_.compression, request.view());
  if (channel_ != nullptr) return SendGrpc(body, std::move(done));
  SendHttp(body, std::move(done));
}

void OtlpSender::SendGrpc(const Bytes& request, SendDone done) {
  net::GrpcCallOptions call;
  call.deadline = options_.timeout;
  call.metadata = Headers();
  call.message_compression = options_.compression;
  channel_->Call(std::string(otlp::ExportMethod(options_.signal)), ByteChain(request), std::move(call),
                 [done = std::move(done)](const StatusOr<Bytes>& answer) mutable {
                   if (!answer.ok()) return std::move(done)(answer.status());
                   std::move(done)(otlp::ReadPartialSuccess(answer->view()).rejected_spans);
                 });
}

void OtlpSender::SendHttp(const Bytes& request, SendDone done) {
  net::HttpRequest http;
  http.method = "POST";
  http.path = options_.path.empty() ? std::string(otlp::ExportPath(options_.signal)) : options_.path;
  http.headers = Headers();
  http.headers.Set("content-type", "application/x-protobuf");
  if (options_.compression != net::Compression::kNone) {
    http.headers.Set("content-encoding", std::string(net::ContentEncoding(options_.compression)));
  }
  http.body = request;
  client_->Send(
      std::move(http), options_.timeout,
      [&clock = *options_.clock, done = std::move(done)](const StatusOr<net::HttpResponse>& response) mutable {
        if (!response.ok()) return std::move(done)(response.status());
        const otlp::HttpAnswer answer = otlp::HttpAnswerOf(*response);
        if (answer.status != 200) {
          return std::move(done)(otlp::StatusOfHttpAnswer(answer, clock.UnixNs()));
        }
        std::move(done)(otlp::PartialSuccessOf(answer).rejected_spans);
      });
}

}  // namespace spanloom::sdk
