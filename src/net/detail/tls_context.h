// SPDX-License-Identifier: Apache-2.0
//
// From TLS options to what OpenSSL makes sessions of: PEM texts are read from their files, checked and put together.

#pragma once

#include <string>

#include "base/status.h"
#include "net/detail/tls_session.h"
#include "net/tls.h"

namespace spanloom::net {

// A PEM text and where it came from. `source` is for messages: the file, or the name of the option that holds the text.
struct PemText {
  std::string source;
  std::string text;  // "" if the option was not given
};

// The PEM texts that options name. Holds a private key: not to be logged, and wiped when it goes.
struct TlsMaterial {
  PemText certificate;
  PemText key;
  PemText ca;
  PemText client_ca;

  TlsMaterial() = default;
  TlsMaterial(TlsMaterial&&) = default;
  TlsMaterial& operator=(TlsMaterial&&) = default;
  ~TlsMaterial();
};

// Reads the files; this blocks. kInvalidArgument names the file that can't be read, and why.
StatusOr<TlsMaterial> ReadTlsMaterial(const TlsOptions& options, const std::string& client_ca_file);

// A digest that differs if anything in `material` does.
std::string Fingerprint(const TlsMaterial& material);

// What new sessions are made of. kInvalidArgument, naming the file or option, the reason and what to do, for texts that
// are not PEM, a key that is not the certificate's, an unknown cipher suite or curve.
StatusOr<SslContextPtr> MakeServerContext(const TlsServerOptions& options, const TlsMaterial& material);

enum class ClientProtocol { kHttp1, kHttp2 };  // what the client offers by ALPN
StatusOr<SslContextPtr> MakeClientContext(const TlsClientOptions& options, const TlsMaterial& material,
                                          ClientProtocol protocol);

}  // namespace spanloom::net
