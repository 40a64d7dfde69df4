// SPDX-License-Identifier: Apache-2.0

#include "app/config_fetch.h"

#include <absl/strings/escaping.h>

#include <utility>

#include "base/text.h"
#include "base/url.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/waiting_request.h"

namespace spanloom::app {
namespace {

constexpr int kOk = 200;

net::HttpRequest RequestFor(const Url& url) {
  net::HttpRequest request;
  request.method = "GET";
  request.path = url.path;
  request.query = url.query;
  request.headers.Add("user-agent", "spanloom");
  if (!url.user_info.empty()) {
    const std::string credentials = net::PercentDecode(url.user_info);
    request.headers.Add("authorization", StrCat("Basic ", absl::Base64Escape(credentials)));
  }
  return request;
}

StatusOr<net::HttpClientOptions> ClientOptions(const Url& url, const FetchOptions& options) {
  using Use = net::ProxyRules::Use;
  net::HttpClientOptions client;
  client.endpoint = url.endpoint;
  if (url.is_secure) client.tls = options.tls;
  ASSIGN_OR_RETURN(client.proxy, options.proxies.ProxyTo(url.endpoint, url.is_secure ? Use::kTunnel : Use::kForward));
  client.body_bytes_max = options.bytes_max;
  return client;
}

// The answer, whatever its status.
StatusOr<net::HttpResponse> Ask(const Url& url, const FetchOptions& options) {
  ASSIGN_OR_RETURN(net::HttpClientOptions client_options, ClientOptions(url, options));
  net::LoopPool loops(1);
  return net::SendAndWait(loops.At(0), std::move(client_options), RequestFor(url), options.deadline, options.hurry);
}

// What an answer that is not the text means for whoever wrote the URL.
Status Refused(const net::HttpResponse& answer) {
  const std::string said = StrCat("the server answers with HTTP status ", answer.status);
  switch (answer.status) {
    case 401:
    case 403:
      return absl::PermissionDeniedError(StrCat(said, "; put a user and password that it takes into the URL"));
    case 404:
      return absl::NotFoundError(StrCat(said, "; check the path"));
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return absl::FailedPreconditionError(StrCat(said, ", and redirects are not followed; write what it names, ",
                                                  ShownUrl(answer.headers.Get("location"))));
    default:
      return absl::FailedPreconditionError(StrCat(said, " in place of 200; look into its log"));
  }
}

// What to do about a server that gave no answer.
std::string_view AdviceFor(const Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      return "the process is to stop";
    case absl::StatusCode::kResourceExhausted:
      return "split what is there into several locations";
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kUnimplemented:
      return "check the URL, the proxy variables and what the server sends";
    default:
      return "check that the server is up and can be reached from here, or keep a copy in a file";
  }
}

}  // namespace

StatusOr<std::string> FetchText(const std::string& url, const FetchOptions& options) {
  ASSIGN_OR_RETURN(const Url parsed, ParseUrl(url));
  const std::string context = StrCat("cannot fetch configuration ", ShownUrl(url));
  const StatusOr<net::HttpResponse> answer = Ask(parsed, options);
  if (!answer.ok()) {
    const Status& status = answer.status();
    return Status(status.code(), StrCat(context, ": ", status.message(), "; ", AdviceFor(status)));
  }
  if (answer->status != kOk) return Annotate(Refused(*answer), context);
  return std::string(answer->body.view());
}

}  // namespace spanloom::app
