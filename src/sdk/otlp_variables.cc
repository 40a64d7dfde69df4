// SPDX-License-Identifier: Apache-2.0

#include "sdk/otlp_variables.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/strip.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/url.h"

namespace spanloom::sdk {
namespace {

constexpr int64_t kTimeoutMsDefault = 10'000;
constexpr int64_t kTimeoutMsMax = 3'600'000;  // guess; what "no limit" means here
constexpr std::string_view kTracesPath = "/v1/traces";

// A destination, and the variable that it is of.
struct Endpoint {
  std::string variable = {};
  Url url = {};
  bool is_of_traces = false;  // the variable is that of traces alone: its path is used as it is
};

Status BadEndpoint(const Variable& variable, std::string_view forms) {
  return absl::InvalidArgumentError(
      StrCat(variable.name, " must be ", forms, ", got \"", ShownUrl(variable.value), "\""));
}

// "http://HOST:PORT" and "https://HOST:PORT" say whether there is TLS. gRPC also takes "HOST:PORT" and
// "grpc://HOST:PORT", where OTEL_EXPORTER_OTLP_INSECURE says it.
StatusOr<Url> ParseGrpcEndpoint(const Variable& variable, Variables& variables) {
  const size_t slashes = variable.value.find("://");
  const std::string scheme = absl::AsciiStrToLower(variable.value.substr(0, slashes));
  const bool has_scheme = slashes != std::string::npos;
  const bool is_http = has_scheme && (scheme == "http" || scheme == "https");
  const std::string rest = has_scheme ? variable.value.substr(slashes + 3) : variable.value;
  const bool is_insecure = variables.Truth({"OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"});
  StatusOr<Url> url = absl::InvalidArgumentError("");
  if (is_http || !has_scheme || scheme == "grpc") {
    url = ParseUrl(StrCat(is_http ? scheme : is_insecure ? "http" : "https", "://", rest));
  }
  if (!url.ok() || !url->user_info.empty() || !url->query.empty()) {
    return BadEndpoint(variable, "http://HOST:PORT, https://HOST:PORT or HOST:PORT");
  }
  if (!is_http && !is_insecure) {
    variables.Warn(StrCat(variable.name,
                          " does not begin with http:// or https://, so TLS is used; for cleartext write "
                          "http://",
                          url->endpoint, " or set OTEL_EXPORTER_OTLP_INSECURE=true"));
  }
  if (url->path != "/") {
    variables.Warn(StrCat(variable.name, " has the path ", url->path,
                          ", which gRPC does not use; for HTTP set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"));
  }
  return url;
}

StatusOr<Url> ParseHttpEndpoint(const Variable& variable) {
  const size_t slashes = variable.value.find("://");
  if (slashes != std::string::npos) {
    const std::string scheme = absl::AsciiStrToLower(variable.value.substr(0, slashes));
    StatusOr<Url> url = ParseUrl(StrCat(scheme, variable.value.substr(slashes)));
    if (url.ok() && url->user_info.empty() && url->query.empty()) return url;
  }
  return BadEndpoint(variable, "http://HOST:PORT/PATH or https://HOST:PORT/PATH without user and query");
}

void WarnOfTheOthersPort(const Endpoint& endpoint, OtlpProtocol protocol, Variables& variables) {
  const bool is_grpc = protocol == OtlpProtocol::kGrpc;
  if (!absl::EndsWith(endpoint.url.endpoint, is_grpc ? ":4318" : ":4317")) return;
  variables.Warn(StrCat(endpoint.variable, " has the usual port of ", is_grpc ? "http/protobuf" : "grpc",
                        ", and the protocol is ", is_grpc ? "grpc" : "http/protobuf",
                        "; if nothing arrives, set OTEL_EXPORTER_OTLP_PROTOCOL or another port"));
}

StatusOr<Endpoint> ReadEndpoint(OtlpProtocol protocol, Variables& variables) {
  constexpr std::string_view kOfTraces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
  const bool is_grpc = protocol == OtlpProtocol::kGrpc;
  Variable variable = variables.Text({kOfTraces, "OTEL_EXPORTER_OTLP_ENDPOINT"});
  if (!variable.is_set()) variable.value = is_grpc ? "http://localhost:4317" : "http://localhost:4318";
  Endpoint endpoint = {.variable = variable.name, .is_of_traces = variable.name == kOfTraces};
  ASSIGN_OR_RETURN(endpoint.url, is_grpc ? ParseGrpcEndpoint(variable, variables) : ParseHttpEndpoint(variable));
  WarnOfTheOthersPort(endpoint, protocol, variables);
  return endpoint;
}

// Of HTTP: as it is of the variable of traces, below the path of the other one.
std::string PathOf(const Endpoint& endpoint) {
  if (endpoint.is_of_traces) return endpoint.url.path;
  return StrCat(absl::StripSuffix(endpoint.url.path, "/"), kTracesPath);
}

bool IsHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";  // RFC 9110, "token"
  return absl::c_all_of(name, [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != std::string_view::npos;
  });
}

StatusOr<TextPairs> ReadHeaders(const Variables& variables) {
  const Variable variable = variables.Text({"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"});
  ASSIGN_OR_RETURN(TextPairs headers, ParsePairs(variable));
  for (auto& [name, value] : headers) {
    absl::AsciiStrToLower(&name);
    const bool is_value =
        absl::c_none_of(value, [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
    if (IsHeaderName(name) && is_value) continue;
    return absl::InvalidArgumentError(StrCat(variable.name,
                                             " has a header that can't be sent: ", is_value ? "a name" : "a value",
                                             " with characters that are not allowed there"));
  }
  return headers;
}

StatusOr<std::optional<net::TlsClientOptions>> ReadTls(const Endpoint& endpoint, Variables& variables) {
  const Variable ca = variables.Text({"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"});
  const Variable certificate =
      variables.Text({"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"});
  const Variable key = variables.Text({"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"});
  if (!endpoint.url.is_secure) {
    for (const Variable& variable : {ca, certificate, key}) {
      if (!variable.is_set()) continue;
      variables.Warn(StrCat(variable.name, " is not used: ", endpoint.variable,
                            " is in cleartext; for TLS write https:// in front of it"));
    }
    return std::nullopt;
  }
  if (certificate.is_set() != key.is_set()) {
    return absl::InvalidArgumentError(
        StrCat(certificate.name, " and ", key.name, " must be set together; only one of them is"));
  }
  net::TlsClientOptions tls;
  tls.ca_file = ca.value;
  tls.cert_file = certificate.value;
  tls.key_file = key.value;
  return tls;
}

}  // namespace

StatusOr<OtlpSenderOptions> ReadOtlpVariables(Variables& variables) {
  OtlpSenderOptions options;
  ASSIGN_OR_RETURN(const size_t protocol,
                   variables.Choice({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"}, 0,
                                    {"grpc", "http/protobuf"}));
  options.protocol = protocol == 0 ? OtlpProtocol::kGrpc : OtlpProtocol::kHttpProtobuf;
  ASSIGN_OR_RETURN(const Endpoint endpoint, ReadEndpoint(options.protocol, variables));
  options.endpoint = endpoint.url.endpoint;
  if (options.protocol == OtlpProtocol::kHttpProtobuf) options.path = PathOf(endpoint);
  ASSIGN_OR_RETURN(options.tls, ReadTls(endpoint, variables));
  ASSIGN_OR_RETURN(options.headers, ReadHeaders(variables));
  ASSIGN_OR_RETURN(const size_t compression,
                   variables.Choice({"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"}, 0,
                                    {"none", "gzip"}));
  options.compression = compression == 0 ? net::Compression::kNone : net::Compression::kGzip;
  options.timeout = variables.Milliseconds({"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"},
                                           kTimeoutMsDefault, {.min = 1, .max = kTimeoutMsMax});
  return options;
}

}  // namespace spanloom::sdk
