// SPDX-License-Identifier: Apache-2.0

#include "pipeline/tls_options.h"

#include <array>
#include <string_view>
#include <utility>

namespace spanloom::pipeline {
namespace {

using net::TlsVersion;

// The keys of both ends.
void DeclareShared(config::OptionsReader& r, net::TlsOptions& tls) {
  static constexpr std::array<std::pair<std::string_view, TlsVersion>, 5> kVersions = {{{"1.2", TlsVersion::k12},
                                                                                        {"", TlsVersion::k12},
                                                                                        {"1.3", TlsVersion::k13},
                                                                                        {"1.1", TlsVersion::k11},
                                                                                        {"1.0", TlsVersion::k10}}};
  static constexpr std::array<std::pair<std::string_view, std::optional<TlsVersion>>, 5> kLastVersions = {
      {{"", std::nullopt},
       {"1.2", TlsVersion::k12},
       {"1.3", TlsVersion::k13},
       {"1.1", TlsVersion::k11},
       {"1.0", TlsVersion::k10}}};
  r.Field("cert_file", tls.cert_file, "File with the certificate, PEM, followed by those between it and its root.");
  r.Field("cert_pem", tls.cert_pem, "The certificate itself, in place of cert_file.");
  r.Field("key_file", tls.key_file, "File with the certificate's key, PEM, without a passphrase.");
  r.Field("key_pem", tls.key_pem, "The key itself, in place of key_file.");
  r.Field("ca_file", tls.ca_file,
          "File with the authorities that a client trusts, PEM; of a server, those that complete its own chain.");
  r.Field("ca_pem", tls.ca_pem, "The authorities themselves, in place of ca_file.");
  r.Choice<TlsVersion>("min_version", tls.min_version, kVersions, "Oldest version of TLS to speak.");
  r.Choice<std::optional<TlsVersion>>("max_version", tls.max_version, kLastVersions,
                                      "Newest version of TLS to speak; empty means the newest there is.");
  r.Field("cipher_suites", tls.cipher_suites,
          "Cipher suites by their IANA names, best first; empty means the library's.");
  r.Field("curve_preferences", tls.curve_preferences,
          "Curves of the key exchange, best first: X25519, P256, P384, P521; empty means the library's.");
  r.Field("reload_interval", tls.reload_interval,
          "How often the files are looked at for new connections; 0 means only at start.");
  r.Unsupported("include_insecure_cipher_suites", "remove it and name the suites in cipher_suites", "false");
}

}  // namespace

void ServerTlsOptions::Declare(config::OptionsReader& r) {
  DeclareShared(r, settings);
  r.Field("client_ca_file", settings.client_ca_file,
          "File with the authorities that sign clients; if it is set, a client without such a certificate is refused.");
  r.Field("client_ca_file_reload", settings.client_ca_file_reload,
          "Whether client_ca_file is looked at too, every reload_interval, or every 10s if that is 0.");
  r.Unsupported("include_system_ca_certs_pool", "remove it; a server trusts client_ca_file alone");
  r.Unsupported("tpm", "remove it and give the key as key_file");
}

void ClientTlsOptions::Declare(config::OptionsReader& r) {
  r.Field("insecure", insecure,
          "Whether to send in cleartext; an authority in ca_file or ca_pem means TLS all the same.");
  r.Field("insecure_skip_verify", settings.insecure_skip_verify, "Whether to take any certificate of the server.");
  r.Field("server_name_override", settings.server_name_override,
          "Name that the server's certificate must have, in place of the endpoint's host.");
  r.Field("include_system_ca_certs_pool", settings.include_system_ca_certs_pool,
          "Whether to trust the machine's authorities as well as ca_file.");
  DeclareShared(r, settings);
  r.Unsupported("tpm", "remove it and give the key as key_file");
}

std::optional<net::TlsClientOptions> ClientTlsOptions::Effective() const {
  const bool has_authority = !settings.ca_file.empty() || !settings.ca_pem.empty();
  if (insecure && !has_authority) return std::nullopt;
  return settings;
}

}  // namespace spanloom::pipeline
