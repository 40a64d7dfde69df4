// SPDX-License-Identifier: Apache-2.0
//
// The `tls` sections of receivers and exporters, as the Collector's configtls has them. What the keys do is
// net/tls.h's.

#pragma once

#include <optional>

#include "config/options.h"
#include "net/tls.h"

namespace spanloom::pipeline {

// Of a server. TLS is on if the section is there.
struct ServerTlsOptions {
  net::TlsServerOptions settings = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const { return net::ValidateTls(settings); }
};

// Of a client. TLS is on unless `insecure` is set.
struct ClientTlsOptions {
  net::TlsClientOptions settings = {};
  bool insecure = false;
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const { return net::ValidateTls(settings); }

  // What the connection needs; nullopt for cleartext. An authority to check the server by means TLS even if `insecure`
  // is set, as in the Collector.
  [[nodiscard]] std::optional<net::TlsClientOptions> Effective() const;
};

}  // namespace spanloom::pipeline
