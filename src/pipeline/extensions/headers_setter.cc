// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/headers_setter.h"

#include <absl/strings/ascii.h>

#include <utility>

#include "base/text.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/extension_roles.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "Sets headers of an exporter's requests: to what is written here, or to what the data came with. An exporter's "
        "request may have data of several senders; a header from them is set if all had the same.",
    .example = R"(extensions:
  headers_setter:
    headers:
      - key: X-Scope-OrgID
        from_context: x-tenant
        default_value: shared
exporters:
  otlp_grpc/tempo:
    endpoint: tempo.example:4317
    auth:
      authenticator: headers_setter
service:
  extensions: [headers_setter]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc/tempo]
)",
};

// The one value of `name` in `pairs`, or `otherwise`. kInvalidArgument if there are several.
StatusOr<std::string> ValueIn(const otlp::RequestOrigin::Pairs& pairs, const std::string& name,
                              const std::string& otherwise) {
  size_t found = 0;
  std::string value = otherwise;
  for (const auto& [key, each] : pairs) {
    if (key != name) continue;
    ++found;
    value = each;
  }
  if (found <= 1) return value;
  return absl::InvalidArgumentError(
      StrCat(found, " source keys found in the context, can't determine which one to use"));
}

}  // namespace

void HeaderOptions::Declare(config::OptionsReader& r) {
  static constexpr std::pair<std::string_view, HeaderAction> kActions[] = {{"insert", HeaderAction::kInsert},
                                                                           {"update", HeaderAction::kUpdate},
                                                                           {"upsert", HeaderAction::kUpsert},
                                                                           {"delete", HeaderAction::kDelete}};
  r.Field("key", key, "Name of the header.");
  r.Choice<HeaderAction>("action", action, kActions,
                         "What is done: insert if the request has none of that name, update if it has, upsert in "
                         "either case, delete.");
  r.Field("value", value, "The value.");
  r.Field("from_context", from_context,
          "The request header (or metadata) of the sender that has the value; its receiver must keep them.");
  r.Field("from_attribute", from_attribute,
          "What the receiver's authenticator found out that is the value: username of basicauth.");
  r.Field("default_value", default_value, "The value if the data came without.");
  r.Unsupported("value_file", "write value: ${file:PATH}");
}

Status HeaderOptions::Validate() const {
  if (key.empty()) return absl::InvalidArgumentError("missing header name");
  const int sources = static_cast<int>(!value.empty()) + static_cast<int>(!from_context.empty()) +
                      static_cast<int>(!from_attribute.empty());
  if (action == HeaderAction::kDelete || sources == 1) return absl::OkStatus();
  if (sources == 0) {
    return absl::InvalidArgumentError("missing header source, must be 'from_context', 'from_attribute' or 'value'");
  }
  return absl::InvalidArgumentError(
      "invalid header source, must be only one of 'from_context', 'from_attribute' and 'value'");
}

void HeadersSetterOptions::Declare(config::OptionsReader& r) {
  r.Field("headers", headers, "What is done to the headers, in order.");
  r.Field("additional_auth", additional_auth, "An extension that authenticates too, before this one sets its headers.");
}

Status HeadersSetterOptions::Validate() const {
  return headers.empty() ? absl::InvalidArgumentError("missing headers configuration") : absl::OkStatus();
}

// Immutable.
class HeadersSetterExtension::Setter final : public ClientAuthenticator {
 public:
  Setter(std::vector<HeaderOptions> headers, std::shared_ptr<ClientAuthenticator> additional)
      : headers_(std::move(headers)), additional_(std::move(additional)) {
    for (HeaderOptions& header : headers_) {
      header.key = absl::AsciiStrToLower(header.key);
      header.from_context = absl::AsciiStrToLower(header.from_context);
    }
  }

  Status Authorize(const otlp::RequestOrigin& origin, net::HttpHeaders& headers) override {
    if (additional_ != nullptr) RETURN_IF_ERROR(additional_->Authorize(origin, headers));
    for (const HeaderOptions& header : headers_) RETURN_IF_ERROR(Apply(header, origin, headers));
    return absl::OkStatus();
  }

  [[nodiscard]] bool needs_tls() const override { return additional_ != nullptr && additional_->needs_tls(); }

 private:
  static Status Apply(const HeaderOptions& header, const otlp::RequestOrigin& origin, net::HttpHeaders& headers) {
    const bool is_there = !headers.Get(header.key).empty();
    if (header.action == HeaderAction::kInsert && is_there) return absl::OkStatus();
    if (header.action == HeaderAction::kUpdate && !is_there) return absl::OkStatus();
    std::string value;
    if (header.action != HeaderAction::kDelete) {
      ASSIGN_OR_RETURN(value, ValueOf(header, origin));
    }
    headers.Set(header.key, std::move(value));
    return absl::OkStatus();
  }

  static StatusOr<std::string> ValueOf(const HeaderOptions& header, const otlp::RequestOrigin& origin) {
    if (!header.from_context.empty()) return ValueIn(origin.metadata, header.from_context, header.default_value);
    if (!header.from_attribute.empty()) return ValueIn(origin.auth, header.from_attribute, header.default_value);
    return header.value;
  }

  std::vector<HeaderOptions> headers_;
  const std::shared_ptr<ClientAuthenticator> additional_;  // null if there is none
};

HeadersSetterExtension::HeadersSetterExtension(HeadersSetterOptions options, const BuildContext& context) {
  std::shared_ptr<ClientAuthenticator> additional;
  if (!options.additional_auth.empty()) {
    auto found = context.extensions->Client(options.additional_auth);
    additional_ = found.status();
    if (found.ok()) additional = *std::move(found);
  }
  setter_ = std::make_shared<Setter>(std::move(options.headers), std::move(additional));
}

HeadersSetterExtension::~HeadersSetterExtension() = default;

Status HeadersSetterExtension::Start() {
  return Annotate(additional_, "additional_auth");
}

std::shared_ptr<ClientAuthenticator> HeadersSetterExtension::client_authenticator() const {
  return setter_;
}

void RegisterHeadersSetterExtension(Registry& registry) {
  registry.extensions.Add<HeadersSetterOptions>(
      "headers_setter", kDoc, [](const ComponentId&, HeadersSetterOptions options, const BuildContext& context) {
        return std::make_unique<HeadersSetterExtension>(std::move(options), context);
      });
}

}  // namespace spanloom::pipeline
