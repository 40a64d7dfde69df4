// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/basic_auth.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>

#include <deque>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/extensions/credential_file.h"
#include "pipeline/extensions/htpasswd.h"
#include "pipeline/extensions/password_hash.h"
#include "pipeline/server_authenticator.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kScheme = "Basic ";
constexpr size_t kVerifiedMax = 1'024;  // credentials that are not hashed again; guess
constexpr size_t kVerifyingMax = 16;    // that are hashed or wait for it, of one extension; guess

constexpr ComponentDoc kDoc = {
    .words =
        "User and password in the header Authorization: with htpasswd asked of senders, by a receiver whose auth names "
        "this; with client_auth shown by an exporter. Hashes that are slow on purpose (bcrypt) are computed beside the "
        "loops, once for each user and password that is right.",
    .example = R"(extensions:
  basicauth/senders:
    htpasswd:
      file: /etc/spanloom/htpasswd
receivers:
  otlp:
    protocols:
      grpc:
        auth:
          authenticator: basicauth/senders
service:
  extensions: [basicauth/senders]
)",
};

struct Credentials {
  std::string user;
  std::string password;
  std::string raw;  // as they came, in base64
};

StatusOr<Credentials> ParseCredentials(std::string_view header) {
  if (header.empty()) return absl::UnauthenticatedError("no basic auth provided");
  if (!absl::StartsWithIgnoreCase(AbslView(header), AbslView(kScheme))) {
    return absl::UnauthenticatedError("invalid authorization scheme prefix");
  }
  const std::string_view raw = header.substr(kScheme.size());
  std::string decoded;
  const size_t colon = absl::Base64Unescape(AbslView(raw), &decoded) ? decoded.find(':') : std::string::npos;
  if (colon == std::string::npos) return absl::UnauthenticatedError("invalid authorization format");
  return Credentials{.user = decoded.substr(0, colon), .password = decoded.substr(colon + 1), .raw = std::string(raw)};
}

// Credentials that were found right, as keyed digests. Thread-safe.
class VerifiedCredentials {
 public:
  [[nodiscard]] std::string KeyOf(const Credentials& credentials) const {
    return KeyedDigest(key_, StrCat(credentials.user, ":", credentials.password));
  }
  [[nodiscard]] bool Contains(const std::string& key) const {
    const MutexLock lock(mutex_);
    return keys_.contains(key);
  }
  // Forgets the oldest beyond kVerifiedMax.
  void Add(const std::string& key) {
    const MutexLock lock(mutex_);
    if (!keys_.insert(key).second) return;
    order_.push_back(key);
    if (order_.size() <= kVerifiedMax) return;
    keys_.erase(order_.front());
    order_.pop_front();
  }

 private:
  const std::string key_ = RandomKey();
  mutable Mutex mutex_;
  absl::flat_hash_set<std::string> keys_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mutex_);
};

std::string WithoutLineEnd(std::string text) {
  return std::string(absl::StripTrailingAsciiWhitespace(text));
}

}  // namespace

void HtpasswdOptions::Declare(config::OptionsReader& r) {
  r.Field("file", file, "Path of an htpasswd file, read at start.");
  r.Field("inline", inline_text,
          "The lines of one, USER:HASH each: bcrypt, SHA-1, salted SHA-1, SHA-256, SHA-512, Apache's MD5, or the "
          "password itself. It counts where the file has the same user.");
}

Status HtpasswdOptions::Validate() const {
  if (file.empty() && inline_text.empty()) return absl::InvalidArgumentError("no credential source provided");
  return Annotate(Htpasswd().Add(inline_text), "inline");
}

void BasicClientOptions::Declare(config::OptionsReader& r) {
  r.Field("username", username, "User.");
  r.Field("username_file", username_file, "Path of a file with the user, preferred, and read again when it changes.");
  r.Field("password", password, "Password.");
  r.Field("password_file", password_file,
          "Path of a file with the password, preferred, and read again when it changes.");
  r.Unsupported("aws_secrets_manager", "let the secret be mounted as a file, and write password_file");
}

Status BasicClientOptions::Validate() const {
  if (username.find(':') == std::string::npos) return absl::OkStatus();
  return absl::InvalidArgumentError("username must not contain \":\"");
}

void BasicAuthOptions::Declare(config::OptionsReader& r) {
  r.Field("htpasswd", htpasswd, "Who may send.");
  r.Field("client_auth", client_auth, "What an exporter shows.");
}

Status BasicAuthOptions::Validate() const {
  if (htpasswd && client_auth) {
    return absl::InvalidArgumentError("only one of `htpasswd` or `client_auth` can be specified");
  }
  if (!htpasswd && !client_auth) return absl::InvalidArgumentError("no credential source provided");
  return absl::OkStatus();
}

// Thread-safe. Shared with tasks of workers.
class BasicAuthExtension::Server final : public ServerAuthenticator, public std::enable_shared_from_this<Server> {
 public:
  explicit Server(net::LoopPool& loops) : loops_(loops) {}

  Status Load(const HtpasswdOptions& options) {
    auto users = std::make_shared<Htpasswd>();
    if (!options.file.empty()) {
      ASSIGN_OR_RETURN(const std::string text, ReadCredentials(options.file));
      RETURN_IF_ERROR(Annotate(users->Add(text), options.file));
    }
    RETURN_IF_ERROR(Annotate(users->Add(options.inline_text), "inline"));
    const MutexLock lock(mutex_);
    users_ = std::move(users);
    return absl::OkStatus();
  }

  void Authenticate(const net::HttpHeaders& headers, Done done) override {
    StatusOr<Credentials> credentials = ParseCredentials(headers.Get("authorization"));
    if (!credentials.ok()) return std::move(done)(credentials.status());
    const std::shared_ptr<const Htpasswd> users = this->users();
    const PasswordHash* hash = users->Find(credentials->user);
    if (hash != nullptr && hash->is_slow() && verified_.Contains(verified_.KeyOf(*credentials))) {
      return std::move(done)(AttributesOf(*credentials));
    }
    const PasswordHash* tried = hash == nullptr ? users->AnyHash() : hash;
    if (tried != nullptr && tried->is_slow()) return VerifyElsewhere(*std::move(credentials), std::move(done));
    std::move(done)(Verify(*users, *credentials));
  }

  [[nodiscard]] std::string challenge() const override { return R"(Basic realm="spanloom", charset="UTF-8")"; }

 private:
  static Attributes AttributesOf(const Credentials& credentials) {
    return {{"username", credentials.user}, {"raw", credentials.raw}};
  }

  // For an unknown user as long as for one that is known.
  static StatusOr<Attributes> Verify(const Htpasswd& users, const Credentials& credentials) {
    const PasswordHash* hash = users.Find(credentials.user);
    const PasswordHash* tried = hash == nullptr ? users.AnyHash() : hash;
    const bool matches = tried != nullptr && tried->Matches(credentials.password);
    if (hash != nullptr && matches) return AttributesOf(credentials);
    return absl::UnauthenticatedError("invalid credentials");
  }

  void VerifyElsewhere(Credentials credentials, Done done) {
    auto shared_done = std::make_shared<Done>(std::move(done));  // also for when there is no room
    const bool has_room = TryBegin() && loops_.workers().Submit([self = shared_from_this(), shared_done,
                                                                 credentials = std::move(credentials)] {
      StatusOr<Attributes> result = Verify(*self->users(), credentials);
      if (result.ok()) self->verified_.Add(self->verified_.KeyOf(credentials));
      self->End();
      self->loops_.Next().Post(
          [shared_done, result = std::move(result)]() mutable { std::move (*shared_done)(std::move(result)); });
    });
    if (has_room) return;
    std::move (*shared_done)(WithRetryDelay(
        absl::UnavailableError("too many credentials wait to be verified; send again later"), std::chrono::seconds(1)));
  }

  bool TryBegin() {
    const MutexLock lock(mutex_);
    if (verifying_ >= kVerifyingMax) return false;
    ++verifying_;
    return true;
  }
  void End() {
    const MutexLock lock(mutex_);
    --verifying_;
  }

  [[nodiscard]] std::shared_ptr<const Htpasswd> users() const {
    const MutexLock lock(mutex_);
    return users_;
  }

  net::LoopPool& loops_;
  VerifiedCredentials verified_;
  mutable Mutex mutex_;
  std::shared_ptr<const Htpasswd> users_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Htpasswd>();
  size_t verifying_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Thread-safe but for Start and Stop.
class BasicAuthExtension::Client final : public ClientAuthenticator {
 public:
  Client(BasicClientOptions options, const std::string& extension) : options_(std::move(options)) {
    if (!options_.username_file.empty()) username_file_.emplace(options_.username_file, extension);
    if (!options_.password_file.empty()) password_file_.emplace(options_.password_file, extension);
  }

  Status Start() {
    for (auto* file : {&username_file_, &password_file_}) {
      if (file->has_value()) RETURN_IF_ERROR((*file)->Start());
    }
    return absl::OkStatus();
  }

  void Stop() {
    for (auto* file : {&username_file_, &password_file_}) {
      if (file->has_value()) (*file)->Stop();
    }
  }

  Status Authorize(const otlp::RequestOrigin& /*origin*/, net::HttpHeaders& headers) override {
    const std::string user = username_file_ ? WithoutLineEnd(username_file_->content()) : options_.username;
    const std::string password = password_file_ ? WithoutLineEnd(password_file_->content()) : options_.password;
    if (user.find(':') != std::string::npos) {
      return absl::UnavailableError("the user in username_file contains \":\"");
    }
    headers.Set("authorization", StrCat(kScheme, absl::Base64Escape(StrCat(user, ":", password))));
    return absl::OkStatus();
  }

 private:
  const BasicClientOptions options_;
  std::optional<CredentialFile> username_file_;
  std::optional<CredentialFile> password_file_;
};

BasicAuthExtension::BasicAuthExtension(const ComponentId& id, BasicAuthOptions options, const BuildContext& context)
    : options_(std::move(options)) {
  if (options_.htpasswd) server_ = std::make_shared<Server>(context.loops);
  if (options_.client_auth) client_ = std::make_shared<Client>(*options_.client_auth, id.ToString());
}

BasicAuthExtension::~BasicAuthExtension() = default;

Status BasicAuthExtension::Start() {
  return server_ != nullptr ? server_->Load(*options_.htpasswd) : client_->Start();
}

void BasicAuthExtension::Stop(std::chrono::milliseconds /*grace*/) {
  if (client_ != nullptr) client_->Stop();
}

std::shared_ptr<ServerAuthenticator> BasicAuthExtension::server_authenticator() const {
  return server_;
}

std::shared_ptr<ClientAuthenticator> BasicAuthExtension::client_authenticator() const {
  return client_;
}

void RegisterBasicAuthExtension(Registry& registry) {
  registry.extensions.Add<BasicAuthOptions>(
      "basicauth", kDoc, [](const ComponentId& id, BasicAuthOptions options, const BuildContext& context) {
        return std::make_unique<BasicAuthExtension>(id, std::move(options), context);
      });
}

}  // namespace spanloom::pipeline
