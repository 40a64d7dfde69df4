// SPDX-License-Identifier: Apache-2.0

#include "net/detail/tls_credentials.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace spanloom::net {
namespace {

constexpr std::chrono::seconds kClientCaInterval{10};  // if the options name none; guess

bool IsAddress(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

// How often a server's files are looked at; 0: never.
std::chrono::nanoseconds IntervalOf(const TlsServerOptions& options) {
  if (options.reload_interval.count() > 0 || !options.client_ca_file_reload) return options.reload_interval;
  return kClientCaInterval;
}

}  // namespace

TlsCredentials::TlsCredentials(Source source, std::string name) : source_(std::move(source)), name_(std::move(name)) {}

TlsCredentials::~TlsCredentials() {
  is_ending_.Notify();
  if (watcher_.joinable()) watcher_.join();
}

StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::ForServer(TlsServerOptions options, std::string name) {
  RETURN_IF_ERROR(Annotate(ValidateTls(options), "tls"));
  const auto interval = IntervalOf(options);
  Source source{.read = [options] { return ReadTlsMaterial(options, options.client_ca_file); },
                .make = [options](const TlsMaterial& material) { return MakeServerContext(options, material); }};
  std::unique_ptr<TlsCredentials> credentials(new TlsCredentials(std::move(source), std::move(name)));
  RETURN_IF_ERROR(Annotate(credentials->Load(), "tls"));
  credentials->StartWatching(interval);
  return credentials;
}

StatusOr<std::unique_ptr<TlsCredentials>> TlsCredentials::ForClient(TlsClientOptions options, ClientProtocol protocol,
                                                                    std::string name) {
  RETURN_IF_ERROR(Annotate(ValidateTls(options), "tls"));
  Source source{.read = [options] { return ReadTlsMaterial(options, ""); },
                .make = [options, protocol](const TlsMaterial& m) { return MakeClientContext(options, m, protocol); }};
  std::unique_ptr<TlsCredentials> credentials(new TlsCredentials(std::move(source), std::move(name)));
  credentials->verifies_server_ = !options.insecure_skip_verify;
  credentials->server_name_override_ = options.server_name_override;
  RETURN_IF_ERROR(Annotate(credentials->Load(), "tls"));
  credentials->StartWatching(options.reload_interval);
  return credentials;
}

Status TlsCredentials::Load() {
  ASSIGN_OR_RETURN(const TlsMaterial material, source_.read());
  std::string fingerprint = Fingerprint(material);
  if (fingerprint == fingerprint_) return absl::OkStatus();
  ASSIGN_OR_RETURN(SslContextPtr context, source_.make(material));
  const MutexLock lock(mutex_);
  context_ = std::move(context);
  fingerprint_ = std::move(fingerprint);
  return absl::OkStatus();
}

bool TlsCredentials::Reload() {
  const std::string before = fingerprint_;
  const Status status = Load();
  if (!status.ok()) {
    LogOnce(status);
    return false;
  }
  last_problem_.clear();
  if (fingerprint_ == before) return false;
  Log(LogLevel::kInfo, "new certificates are in use; connections that are open keep the old ones", {{"tls", name_}});
  return true;
}

void TlsCredentials::LogOnce(const Status& problem) {
  if (problem.message() == AbslView(last_problem_)) return;
  last_problem_ = std::string(problem.message());
  Log(LogLevel::kError, "the certificate files can't be used; what was in them before goes on",
      {{"tls", name_}, {"error", last_problem_}});
}

void TlsCredentials::StartWatching(std::chrono::nanoseconds interval) {
  if (interval.count() == 0) return;
  watcher_ = std::thread([this, interval] { Watch(interval); });
  pthread_setname_np(watcher_.native_handle(), "spanloom-tls");
}

void TlsCredentials::Watch(std::chrono::nanoseconds interval) {
  while (!is_ending_.WaitFor(interval)) Reload();
}

SslPtr TlsCredentials::NewSsl() {
  const MutexLock lock(mutex_);
  SslPtr ssl(SSL_new(context_.get()));
  CHECK(ssl != nullptr);
  return ssl;
}

std::unique_ptr<TlsSession> TlsCredentials::NewServerSession() {
  SslPtr ssl = NewSsl();
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsSession>(std::move(ssl));
}

std::unique_ptr<TlsSession> TlsCredentials::NewClientSession(const std::string& host) {
  SslPtr ssl = NewSsl();
  const std::string& name = server_name_override_.empty() ? host : server_name_override_;
  const bool is_address = IsAddress(name);
  // RFC 6066, 3: addresses are not sent as server name.
  if (!is_address) SSL_set_tlsext_host_name(ssl.get(), name.c_str());
  if (verifies_server_) {
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl.get());
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    CHECK((is_address ? X509_VERIFY_PARAM_set1_ip_asc(rules, name.c_str())
                      : X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size())) == 1);
  }
  SSL_set_connect_state(ssl.get());
  return std::make_unique<TlsSession>(std::move(ssl));
}

}  // namespace spanloom::net
