// SPDX-License-Identifier: Apache-2.0
//
// Options for TLS at either end of a connection, in the Collector's words (configtls): which certificates are ours,
// whom we trust, and how both are renewed while the process runs.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace spanloom::net {

enum class TlsVersion { k10, k11, k12, k13 };

// What both ends share. Files are PEM; of each pair X_file and X_pem, at most one may be set.
struct TlsOptions {
  std::string cert_file;  // our certificate, followed by those between it and its root
  std::string cert_pem;
  std::string key_file;  // the key of our certificate, without a passphrase
  std::string key_pem;
  // Of a client: whom we trust; neither set: the machine's roots. Of a server: certificates between ours and its root.
  std::string ca_file;
  std::string ca_pem;
  TlsVersion min_version = TlsVersion::k12;
  std::optional<TlsVersion> max_version;   // unset: the newest there is
  std::vector<std::string> cipher_suites;  // IANA names, as "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"; empty: OpenSSL's
  std::vector<std::string> curve_preferences;  // "X25519", "P256", "P384", "P521", best first; empty: OpenSSL's
  // How often the files of the certificate, its key and ca_file are looked at; 0: never. New connections get what is in
  // them. If that cannot be used, what was there goes on, and a line in the log says why. Not below 1 ms.
  std::chrono::nanoseconds reload_interval{0};
};

struct TlsServerOptions : TlsOptions {
  // Set: a client must show a certificate that this one signed (mTLS), or its handshake fails.
  std::string client_ca_file;
  bool client_ca_file_reload = false;  // look at client_ca_file too, every reload_interval, or every 10 s if that is 0
};

struct TlsClientOptions : TlsOptions {
  bool include_system_ca_certs_pool = false;  // trust the machine's roots as well as ca_file or ca_pem
  bool insecure_skip_verify = false;          // take any certificate of the server
  std::string server_name_override;           // the name that its certificate must have; "": the endpoint's host
};

// What can be seen without reading a file. kInvalidArgument names the option.
Status ValidateTls(const TlsServerOptions& options);
Status ValidateTls(const TlsClientOptions& options);

}  // namespace spanloom::net
