// SPDX-License-Identifier: Apache-2.0

#include "net/tls.h"

#include <string_view>

#include "base/text.h"

namespace spanloom::net {
namespace {

Status AtMostOne(std::string_view name, const std::string& file, const std::string& pem) {
  if (file.empty() || pem.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("provide either ", name, "_file or ", name, "_pem, not both"));
}

Status ValidateShared(const TlsOptions& options) {
  RETURN_IF_ERROR(AtMostOne("cert", options.cert_file, options.cert_pem));
  RETURN_IF_ERROR(AtMostOne("key", options.key_file, options.key_pem));
  RETURN_IF_ERROR(AtMostOne("ca", options.ca_file, options.ca_pem));
  const bool has_certificate = !options.cert_file.empty() || !options.cert_pem.empty();
  const bool has_key = !options.key_file.empty() || !options.key_pem.empty();
  if (has_certificate != has_key) {
    return absl::InvalidArgumentError(StrCat(has_certificate
                                                 ? "a certificate needs its key: set key_file or key_pem"
                                                 : "a key needs its certificate: set cert_file or cert_pem"));
  }
  if (options.max_version.has_value() && *options.max_version < options.min_version) {
    return absl::InvalidArgumentError("min_version cannot be greater than max_version");
  }
  if (options.reload_interval.count() != 0 && options.reload_interval < std::chrono::milliseconds(1)) {
    return absl::InvalidArgumentError("reload_interval must be 0 (never) or at least 1ms");
  }
  return absl::OkStatus();
}

}  // namespace

Status ValidateTls(const TlsServerOptions& options) {
  RETURN_IF_ERROR(ValidateShared(options));
  if (options.cert_file.empty() && options.cert_pem.empty()) {
    return absl::InvalidArgumentError("a server needs a certificate and its key: set cert_file and key_file");
  }
  if (options.client_ca_file_reload && options.client_ca_file.empty()) {
    return absl::InvalidArgumentError("client_ca_file_reload needs client_ca_file");
  }
  return absl::OkStatus();
}

Status ValidateTls(const TlsClientOptions& options) {
  return ValidateShared(options);
}

}  // namespace spanloom::net
