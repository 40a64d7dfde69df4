// SPDX-License-Identifier: Apache-2.0

#include "pipeline/admittance.h"

#include <absl/strings/ascii.h>

#include <utility>

namespace spanloom::pipeline {
namespace {

// The headers of `request`, where a parameter of its query that is one of `params` stands for the header of its name.
net::HttpHeaders WithParams(const net::HttpRequest& request, const std::vector<std::string>& params) {
  net::HttpHeaders headers = request.headers;
  const auto pairs = net::ParseQuery(request.query);
  for (const std::string& param : params) {
    for (const auto& [name, value] : pairs) {
      if (name == param) headers.Set(absl::AsciiStrToLower(name), value);
    }
  }
  return headers;
}

}  // namespace

std::shared_ptr<const Admittance> Admittance::Open() {
  return std::shared_ptr<const Admittance>(new Admittance);
}

StatusOr<std::shared_ptr<const Admittance>> Admittance::Asking(const std::string& authenticator,
                                                               std::vector<std::string> params,
                                                               const Refusals& refusals, const BuildContext& context) {
  std::shared_ptr<Admittance> admittance(new Admittance);
  ASSIGN_OR_RETURN(admittance->authenticator_, context.extensions->Server(authenticator));
  admittance->params_ = std::move(params);
  admittance->answer_ = refusals.answer;
  const auto counter = [&](const char* cause) {
    MetricLabels labels = refusals.labels;
    labels.emplace_back("cause", cause);
    return &context.metrics.GetCounter(refusals.metric, refusals.help, labels);
  };
  admittance->refused_ = counter("unauthenticated");
  admittance->undecided_ = counter("authentication_busy");
  return admittance;
}

void Admittance::Admit(net::GrpcRequest request, net::GrpcResponder responder, TakeGrpc take) const {
  if (authenticator_ == nullptr) return take({}, std::move(request), std::move(responder));
  auto held = std::make_unique<net::GrpcRequest>(std::move(request));
  const net::HttpHeaders& headers = held->metadata;
  Ask(headers, [held = std::move(held), responder = std::move(responder),
                take = std::move(take)](StatusOr<Attributes> who) mutable {
    if (!who.ok()) return std::move(responder).Respond(who.status());
    take(*std::move(who), std::move(*held), std::move(responder));
  });
}

void Admittance::Admit(net::HttpRequest request, net::HttpResponder responder, TakeHttp take) const {
  if (authenticator_ == nullptr) return take({}, std::move(request), std::move(responder));
  const net::HttpHeaders headers = WithParams(request, params_);
  Ask(headers, [self = shared_from_this(), request = std::move(request), responder = std::move(responder),
                take = std::move(take)](StatusOr<Attributes> who) mutable {
    if (!who.ok()) return std::move(responder).Respond(self->RefusalOf(who.status(), request));
    take(*std::move(who), std::move(request), std::move(responder));
  });
}

void Admittance::Ask(const net::HttpHeaders& headers, ServerAuthenticator::Done done) const {
  authenticator_->Authenticate(headers,
                               [self = shared_from_this(), done = std::move(done)](StatusOr<Attributes> who) mutable {
                                 if (!who.ok())
                                   (absl::IsUnauthenticated(who.status()) ? self->refused_ : self->undecided_)->Add(1);
                                 std::move(done)(std::move(who));
                               });
}

net::HttpResponse Admittance::RefusalOf(const Status& status, const net::HttpRequest& request) const {
  net::HttpResponse response = answer_(status, request);
  const std::string challenge = authenticator_->challenge();
  if (absl::IsUnauthenticated(status) && !challenge.empty()) response.headers.Add("www-authenticate", challenge);
  return response;
}

}  // namespace spanloom::pipeline
