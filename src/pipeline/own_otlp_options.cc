// SPDX-License-Identifier: Apache-2.0

#include "pipeline/own_otlp_options.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/url.h"

namespace spanloom::pipeline {
namespace {

// Without a scheme, TLS is what `insecure` leaves.
StatusOr<Url> DestinationUrl(const OwnOtlpOptions& options) {
  const bool has_scheme = options.endpoint.find("://") != std::string::npos;
  StatusOr<Url> url =
      ParseUrl(has_scheme ? options.endpoint : StrCat(options.insecure ? "http://" : "https://", options.endpoint));
  if (url.ok() && url->user_info.empty()) return url;
  return absl::InvalidArgumentError(
      StrCat("endpoint must be http://HOST:PORT or https://HOST:PORT, got \"", ShownUrl(options.endpoint), "\""));
}

net::TlsClientOptions TlsOf(const OwnOtlpOptions& options) {
  net::TlsClientOptions tls;
  tls.ca_file = options.certificate;
  tls.cert_file = options.client_certificate;
  tls.key_file = options.client_key;
  return tls;
}

// "name=value" each; an item without "=" is wrong.
StatusOr<config::StringMap> ParseHeadersList(const std::string& list) {
  config::StringMap headers;
  for (const absl::string_view item : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(item, absl::MaxSplits('=', 1));
    std::string name(absl::StripAsciiWhitespace(pair.first));
    if (name.empty() || item.find('=') == absl::string_view::npos) {
      return absl::InvalidArgumentError("headers_list must be NAME=VALUE,NAME=VALUE");
    }
    headers.emplace_back(std::move(name), absl::StripAsciiWhitespace(pair.second));
  }
  return headers;
}

}  // namespace

void OwnOtlpOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, sdk::OtlpProtocol> kProtocols[] = {
      {"grpc", sdk::OtlpProtocol::kGrpc}, {"http/protobuf", sdk::OtlpProtocol::kHttpProtobuf}};
  static constexpr std::pair<std::string_view, net::Compression> kCompressions[] = {{"none", net::Compression::kNone},
                                                                                    {"gzip", net::Compression::kGzip}};
  r.Choice<sdk::OtlpProtocol>("protocol", protocol, kProtocols, "How requests are sent.");
  r.Field("endpoint", endpoint,
          "Destination, http://HOST:PORT in cleartext or https://HOST:PORT over TLS; with http/protobuf a path may "
          "follow, else it is that of the signal, as /v1/traces.");
  r.Field("headers", headers, "Headers or metadata sent with every request.");
  r.Field("headers_list", headers_list, "The same as one text, NAME=VALUE,NAME=VALUE; headers goes before it.");
  r.Field("insecure", insecure, "Whether to send in cleartext where the endpoint has neither http:// nor https://.");
  r.Field("certificate", certificate,
          "File with the authorities that the destination's certificate is checked by, PEM; the machine's if it is "
          "left out.");
  r.Field("client_certificate", client_certificate, "File with the certificate to show, PEM; with client_key.");
  r.Field("client_key", client_key, "File with its key, PEM.");
  r.Choice<net::Compression>("compression", compression, kCompressions, "How requests are compressed.");
  r.Field("timeout", timeout, "Longest time for one attempt.", {.min = 1, .max = 3'600'000, .unit = "ms"});
}

Status OwnOtlpOptions::Validate() const {
  ASSIGN_OR_RETURN(const Url url, DestinationUrl(*this));
  if (insecure && url.is_secure) {
    return absl::InvalidArgumentError("insecure must not be true where the endpoint is https://");
  }
  RETURN_IF_ERROR(ParseHeadersList(headers_list).status());
  for (const auto& [name, file] : {std::pair("certificate", &certificate),
                                   {"client_certificate", &client_certificate},
                                   {"client_key", &client_key}}) {
    if (url.is_secure || file->empty()) continue;
    return absl::InvalidArgumentError(
        StrCat(name, " is for TLS, and the endpoint is in cleartext; write https:// in front of it"));
  }
  if (client_certificate.empty() != client_key.empty()) {
    return absl::InvalidArgumentError("client_certificate and client_key must be given together");
  }
  return absl::OkStatus();
}

sdk::OtlpSenderOptions OwnOtlpOptions::Destination(otlp::Signal signal) const {
  const Url url = *DestinationUrl(*this);
  sdk::OtlpSenderOptions destination;
  destination.signal = signal;
  destination.protocol = protocol;
  destination.endpoint = url.endpoint;
  if (url.path != "/") destination.path = url.path;
  if (url.is_secure) destination.tls = TlsOf(*this);
  destination.compression = compression;
  destination.timeout = std::chrono::milliseconds(timeout);
  const config::StringMap listed = *ParseHeadersList(headers_list);
  for (const auto& [name, value] : headers.empty() ? listed : headers) {
    destination.headers.emplace_back(absl::AsciiStrToLower(name), value);
  }
  return destination;
}

}  // namespace spanloom::pipeline
