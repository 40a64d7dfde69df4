// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/bearer_token_auth.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <optional>
#include <utility>

#include "base/text.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/extensions/credential_file.h"
#include "pipeline/extensions/password_hash.h"
#include "pipeline/server_authenticator.h"

namespace spanloom::pipeline {
namespace {

constexpr ComponentDoc kDoc = {
    .words =
        "A token in a header: asked of senders, by a receiver whose auth names this, and shown by an exporter. Of "
        "several tokens senders may show any; an exporter shows the first.",
    .example = R"(extensions:
  bearertokenauth:
    filename: /var/run/secrets/backend/token
exporters:
  otlp_grpc/backend:
    endpoint: backend.example:4317
    auth:
      authenticator: bearertokenauth
service:
  extensions: [bearertokenauth]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [otlp_grpc/backend]
)",
};

}  // namespace

void BearerTokenAuthOptions::Declare(config::OptionsReader& r) {
  r.Field("header", header, "Header that has the token.");
  r.Field("scheme", scheme, "What stands before the token, and a space; nothing if it is \"\".");
  r.Field("token", token, "The token.");
  r.Field("tokens", tokens, "Several of them.");
  r.Field("filename", filename,
          "Path of a file with a token a line, in place of the others; it is read again when it changes.");
}

Status BearerTokenAuthOptions::Validate() const {
  if (token.empty() && tokens.empty() && filename.empty()) {
    return absl::InvalidArgumentError("no bearer token provided");
  }
  if (!token.empty() && !tokens.empty()) {
    return absl::InvalidArgumentError("either tokens or token should be provided, not both");
  }
  for (const std::string& each : tokens) {
    if (each.empty()) return absl::InvalidArgumentError("tokens must not be empty");
  }
  if (header.empty()) return absl::InvalidArgumentError("header must not be empty");
  return absl::OkStatus();
}

// Thread-safe but for Start and Stop.
class BearerTokenAuthExtension::Tokens final : public ServerAuthenticator, public ClientAuthenticator {
 public:
  Tokens(BearerTokenAuthOptions options, std::string extension)
      : options_(std::move(options)), header_(absl::AsciiStrToLower(options_.header)) {
    if (!options_.filename.empty()) file_.emplace(options_.filename, std::move(extension));
  }

  Status Start() {
    if (!file_) return absl::OkStatus();
    RETURN_IF_ERROR(file_->Start());
    if (!Values().empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(StrCat(options_.filename, " has no token"));
  }

  void Stop() {
    if (file_) file_->Stop();
  }

  void Authenticate(const net::HttpHeaders& headers, Done done) override {
    const std::string_view shown = headers.Get(header_);
    if (shown.empty()) {
      return std::move(done)(
          absl::UnauthenticatedError(StrCat("missing or empty authorization header: ", options_.header)));
    }
    bool matches = false;
    for (const std::string& value : Values()) matches |= SameSecret(shown, value);
    if (matches) return std::move(done)(Attributes());
    std::move(done)(absl::UnauthenticatedError("provided authorization does not match expected scheme or token"));
  }

  Status Authorize(const otlp::RequestOrigin& /*origin*/, net::HttpHeaders& headers) override {
    const std::vector<std::string> values = Values();
    if (values.empty()) return absl::UnavailableError(StrCat(options_.filename, " has no token"));
    headers.Set(header_, values.front());
    return absl::OkStatus();
  }

  [[nodiscard]] std::string challenge() const override {
    return header_ == "authorization" && !options_.scheme.empty() ? options_.scheme : "";
  }

 private:
  // What the header may have.
  [[nodiscard]] std::vector<std::string> Values() const {
    const std::string before = options_.scheme.empty() ? "" : options_.scheme + " ";
    std::vector<std::string> values;
    if (!file_) {
      for (const std::string& token : options_.tokens) values.push_back(before + token);
      if (!options_.token.empty()) values.push_back(before + options_.token);
      return values;
    }
    const std::string content = file_->content();
    for (absl::string_view line : absl::StrSplit(content, '\n')) {
      line = absl::StripAsciiWhitespace(line);
      if (!line.empty()) values.push_back(StrCat(before, line));
    }
    return values;
  }

  const BearerTokenAuthOptions options_;
  const std::string header_;  // in lower case
  std::optional<CredentialFile> file_;
};

BearerTokenAuthExtension::BearerTokenAuthExtension(const ComponentId& id, BearerTokenAuthOptions options)
    : tokens_(std::make_shared<Tokens>(std::move(options), id.ToString())) {}

BearerTokenAuthExtension::~BearerTokenAuthExtension() = default;

Status BearerTokenAuthExtension::Start() {
  return tokens_->Start();
}

void BearerTokenAuthExtension::Stop(std::chrono::milliseconds /*grace*/) {
  tokens_->Stop();
}

std::shared_ptr<ServerAuthenticator> BearerTokenAuthExtension::server_authenticator() const {
  return tokens_;
}

std::shared_ptr<ClientAuthenticator> BearerTokenAuthExtension::client_authenticator() const {
  return tokens_;
}

void RegisterBearerTokenAuthExtension(Registry& registry) {
  registry.extensions.Add<BearerTokenAuthOptions>(
      "bearertokenauth", kDoc, [](const ComponentId& id, BearerTokenAuthOptions options, const BuildContext&) {
        return std::make_unique<BearerTokenAuthExtension>(id, std::move(options));
      });
}

}  // namespace spanloom::pipeline
