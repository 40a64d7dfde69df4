// SPDX-License-Identifier: Apache-2.0
//
// Who may send to one protocol of a receiver, or ask for a page: what stands between a server and its handlers, asks
// the authenticator that `auth` names, and answers those who are not let in.

#pragma once

#include <absl/functional/any_invocable.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/status.h"
#include "net/grpc.h"
#include "net/http.h"
#include "pipeline/registry.h"
#include "pipeline/server_authenticator.h"

namespace spanloom::pipeline {

// Immutable. Shared with the requests that wait to be let in.
class Admittance : public std::enable_shared_from_this<Admittance> {
 public:
  using Attributes = ServerAuthenticator::Attributes;
  using TakeGrpc = absl::AnyInvocable<void(Attributes who, net::GrpcRequest request, net::GrpcResponder responder)>;
  using TakeHttp = absl::AnyInvocable<void(Attributes who, net::HttpRequest request, net::HttpResponder responder)>;

  // What becomes of requests that are not let in.
  struct Refusals {
    std::string_view metric;  // counts them, by cause
    std::string_view help;
    MetricLabels labels;  // besides the cause
    // The answer over HTTP, without its challenge.
    net::HttpResponse (*answer)(const Status& status, const net::HttpRequest& request);
  };

  // Lets everybody in.
  static std::shared_ptr<const Admittance> Open();

  // Asks the extension `authenticator`, which is looked for now, while the component is made. `params` of a request's
  // query count as headers. kInvalidArgument if there is no such extension.
  static StatusOr<std::shared_ptr<const Admittance>> Asking(const std::string& authenticator,
                                                            std::vector<std::string> params, const Refusals& refusals,
                                                            const BuildContext& context);

  // Passes the request on to `take`, inside the call or later on a loop, or answers it: UNAUTHENTICATED or 401 with a
  // challenge, UNAVAILABLE or 503 with a delay if nothing can be said of it now.
  void Admit(net::GrpcRequest request, net::GrpcResponder responder, TakeGrpc take) const;
  void Admit(net::HttpRequest request, net::HttpResponder responder, TakeHttp take) const;

 private:
  Admittance() = default;
  void Ask(const net::HttpHeaders& headers, ServerAuthenticator::Done done) const;
  [[nodiscard]] net::HttpResponse RefusalOf(const Status& status, const net::HttpRequest& request) const;

  std::shared_ptr<ServerAuthenticator> authenticator_;  // null: everybody; shared with the extension
  std::vector<std::string> params_;
  net::HttpResponse (*answer_)(const Status&, const net::HttpRequest&) = nullptr;  // set if authenticator_ is
  Counter* refused_ = nullptr;                                                     // set if authenticator_ is
  Counter* undecided_ = nullptr;                                                   // set if authenticator_ is
};

}  // namespace spanloom::pipeline
