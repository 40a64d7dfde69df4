// SPDX-License-Identifier: Apache-2.0

#include "pipeline/page_server.h"

#include <absl/base/thread_annotations.h>

#include <utility>

#include "base/mutex.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

net::HttpResponse RefusalOf(const Status& status, const net::HttpRequest&) {
  const int code = absl::IsUnauthenticated(status) ? 401 : absl::IsPermissionDenied(status) ? 403 : 503;
  net::HttpResponse response = net::TextResponse(code, StrCat(code, " ", StdView(status.message()), "\n"));
  if (const auto delay = RetryDelay(status)) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*delay).count();
    response.headers.Add("retry-after", StrCat(seconds));
  }
  return response;
}

Admittance::Refusals RefusalsOf(const std::string& name) {
  return {.metric = "spanloom_page_refused_requests",
          .help = "Requests for a page about this process that were not let in, by cause.",
          .labels = {{"component", name}},
          .answer = RefusalOf};
}

}  // namespace

class PageServer::Gate {
 public:
  explicit Gate(net::HttpHandler handler) : handler_(std::move(handler)) {}

  void Pass(net::HttpRequest request, net::HttpResponder responder) ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    if (!is_open_) return std::move(responder).Respond(net::TextResponse(503, "503 stopping\n"));
    handler_(std::move(request), std::move(responder));
  }
  void Close() ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    is_open_ = false;
  }

 private:
  const net::HttpHandler handler_;
  Mutex mutex_;
  bool is_open_ ABSL_GUARDED_BY(mutex_) = true;
};

void DeclarePageServer(config::OptionsReader& r, HttpServerOptions& options, std::string_view endpoint_words) {
  options.Declare(r, endpoint_words);
  r.Unsupported("include_metadata", "remove it; nothing here asks for the headers of requests", "false");
}

PageServer::PageServer(std::string name, const HttpServerOptions& options, uint16_t port, const BuildContext& context)
    : name_(std::move(name)),
      options_(options),
      context_(context),
      address_(AddressOf(options.endpoint, options.transport, context, port)) {
  if (!options.auth) return;
  admittance_ =
      Admittance::Asking(options.auth->authenticator, options.auth->request_params, RefusalsOf(name_), context);
}

PageServer::~PageServer() = default;

Status PageServer::Start(net::HttpHandler handler) {
  RETURN_IF_ERROR(admittance_.status());
  net::ServerOptions server;
  server.name = name_;
  server.endpoint = address_;
  if (options_.tls) server.tls = options_.tls->settings;
  options_.ApplyTo(server);
  gate_ = std::make_shared<Gate>(std::move(handler));
  server.http = options_.Fronting(
      [gate = gate_, admittance = *admittance_](net::HttpRequest request, net::HttpResponder responder) {
        admittance->Admit(std::move(request), std::move(responder),
                          [gate](const Admittance::Attributes&, net::HttpRequest admitted, net::HttpResponder answer) {
                            gate->Pass(std::move(admitted), std::move(answer));
                          });
      });
  ReportAccepting(context_, server);
  ASSIGN_OR_RETURN(server_, net::Server::Create(context_.loops, context_.metrics, std::move(server)));
  return absl::OkStatus();
}

void PageServer::Stop(std::chrono::milliseconds grace) {
  server_->Stop(grace);
  gate_->Close();
}

std::vector<Endpoint> PageServer::endpoints(std::string_view serves, std::string_view path) const {
  if (server_ == nullptr) return {};
  const std::string& bound = server_->endpoint();
  if (bound.starts_with("unix")) return {{std::string(serves), bound}};
  return {{std::string(serves), StrCat(options_.tls ? "https://" : "http://", bound, path)}};
}

std::vector<std::string> PageServer::claims() const {
  std::vector<std::string> claims;
  AddClaim(address_, claims);
  return claims;
}

}  // namespace spanloom::pipeline
