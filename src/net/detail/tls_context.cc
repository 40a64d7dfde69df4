// SPDX-License-Identifier: Apache-2.0

#include "net/detail/tls_context.h"

#include <absl/strings/str_join.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/read_file.h"
#include "base/text.h"

namespace spanloom::net {
namespace {

constexpr std::string_view kAlpnHttp2 = "\x02h2";
constexpr std::string_view kAlpnHttp1 = "\x08http/1.1";

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using BioPtr = std::unique_ptr<BIO, FreeWith<&BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<&X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<&EVP_PKEY_free>>;

// What OpenSSL has to say about its last failure. It never quotes what it read.
std::string OpenSslReason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "unknown reason";
  ERR_clear_error();
  return text;
}

Status BadText(const PemText& pem, std::string_view what, std::string_view advice) {
  return absl::InvalidArgumentError(StrCat(pem.source, ": ", what, "; ", advice));
}

StatusOr<std::string> ReadFileOf(std::string_view option, const std::string& path) {
  StatusOr<std::string> text = ReadFile(path);
  if (text.ok()) return text;
  return absl::InvalidArgumentError(
      StrCat(option, " ", path, ": ", StdView(text.status().message()), "; give a file that this process may read"));
}

StatusOr<PemText> ReadPem(std::string_view option, const std::string& path, const std::string& text) {
  if (path.empty()) return PemText{StrCat(option, "_pem"), text};
  const std::string file_option = StrCat(option, "_file");
  ASSIGN_OR_RETURN(std::string content, ReadFileOf(file_option, path));
  PemText pem{StrCat(file_option, " ", path), std::move(content)};
  if (pem.text.empty()) return BadText(pem, "the file is empty", "give a PEM file");
  return pem;
}

BioPtr Open(const PemText& pem) {
  return BioPtr(BIO_new_mem_buf(pem.text.data(), static_cast<int>(pem.text.size())));
}

// All certificates in a text, in order.
StatusOr<std::vector<CertificatePtr>> ReadCertificates(const PemText& pem) {
  std::vector<CertificatePtr> certificates;
  const BioPtr bio = Open(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = OpenSslReason();
  if (!certificates.empty() && is_at_end) return certificates;
  return BadText(pem, is_at_end ? "no certificate in it" : reason, "give certificates as PEM (BEGIN CERTIFICATE)");
}

// OpenSSL would ask the terminal for a passphrase.
int RefusePassphrase(char*, int, int, void*) {
  return -1;
}

Status UseCertificate(SSL_CTX* context, const TlsMaterial& material) {
  if (material.certificate.text.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto chain, ReadCertificates(material.certificate));
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1) {
    return BadText(material.certificate, OpenSslReason(), "give a certificate with a stronger key");
  }
  for (size_t i = 1; i < chain.size(); ++i) CHECK(SSL_CTX_add1_chain_cert(context, chain[i].get()) == 1);
  const KeyPtr key(PEM_read_bio_PrivateKey(Open(material.key).get(), nullptr, &RefusePassphrase, nullptr));
  if (key == nullptr) {
    return BadText(material.key, StrCat("no private key can be read from it: ", OpenSslReason()),
                   "give a key as PEM, without a passphrase");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) == 1) return absl::OkStatus();
  return BadText(material.key, StrCat("this key does not fit ", material.certificate.source, ": ", OpenSslReason()),
                 "give the key that the certificate was made for");
}

Status Trust(SSL_CTX* context, const PemText& ca) {
  ASSIGN_OR_RETURN(const auto certificates, ReadCertificates(ca));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const CertificatePtr& certificate : certificates) CHECK(X509_STORE_add_cert(store, certificate.get()) == 1);
  return absl::OkStatus();
}

// Certificates that a server's own chain is completed from; they say nothing about clients.
Status CompleteChainFrom(SSL_CTX* context, const PemText& ca) {
  ASSIGN_OR_RETURN(const auto certificates, ReadCertificates(ca));
  const std::unique_ptr<X509_STORE, FreeWith<&X509_STORE_free>> store(X509_STORE_new());
  for (const CertificatePtr& certificate : certificates)
    CHECK(X509_STORE_add_cert(store.get(), certificate.get()) == 1);
  CHECK(SSL_CTX_set1_chain_cert_store(context, store.get()) == 1);
  return absl::OkStatus();
}

// The names of authorities that clients may choose their certificate by.
Status NameAuthorities(SSL_CTX* context, const PemText& ca) {
  ASSIGN_OR_RETURN(const auto certificates, ReadCertificates(ca));
  for (const CertificatePtr& certificate : certificates) CHECK(SSL_CTX_add_client_CA(context, certificate.get()) == 1);
  return absl::OkStatus();
}

int VersionNumber(TlsVersion version) {
  constexpr std::array kNumbers = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
  return kNumbers.at(static_cast<size_t>(version));
}

Status UseCiphers(SSL_CTX* context, const std::vector<std::string>& suites) {
  std::vector<std::string> names;      // up to TLS 1.2
  std::vector<std::string> names_1_3;  // which have a list of their own
  for (const std::string& suite : suites) {
    const std::string name = OPENSSL_cipher_name(suite.c_str());
    if (name == "(NONE)") {
      return absl::InvalidArgumentError(StrCat("cipher_suites: unknown suite \"", suite,
                                               "\"; give names such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    }
    (name.starts_with("TLS_") ? names_1_3 : names).push_back(name);
  }
  const std::string list = absl::StrJoin(names, ":");
  const std::string list_1_3 = absl::StrJoin(names_1_3, ":");
  const bool is_taken = (names.empty() || SSL_CTX_set_cipher_list(context, list.c_str()) == 1) &&
                        (names_1_3.empty() || SSL_CTX_set_ciphersuites(context, list_1_3.c_str()) == 1);
  if (is_taken) return absl::OkStatus();
  return absl::InvalidArgumentError(StrCat("cipher_suites: ", OpenSslReason(), "; leave them out for the default"));
}

Status UseCurves(SSL_CTX* context, const std::vector<std::string>& curves) {
  if (curves.empty()) return absl::OkStatus();
  constexpr std::array<std::pair<std::string_view, const char*>, 4> kGroups = {
      {{"X25519", "X25519"}, {"P256", "P-256"}, {"P384", "P-384"}, {"P521", "P-521"}}};
  std::vector<std::string> groups;
  for (const std::string& curve : curves) {
    const auto* found = std::find_if(kGroups.begin(), kGroups.end(), [&](const auto& g) { return g.first == curve; });
    if (found == kGroups.end()) {
      return absl::InvalidArgumentError(
          StrCat("curve_preferences: unknown curve \"", curve, "\"; allowed: X25519, P256, P384, P521"));
    }
    groups.emplace_back(found->second);
  }
  CHECK(SSL_CTX_set1_groups_list(context, absl::StrJoin(groups, ":").c_str()) == 1);
  return absl::OkStatus();
}

// Connections live for hours, so there is nothing to gain from resuming sessions, which would cost memory and have to
// be forgotten when certificates change.
void KeepItSmall(SSL_CTX* context) {
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_read_ahead(context, 1);  // one system call for what has arrived, not two a record
}

StatusOr<SslContextPtr> MakeContext(const SSL_METHOD* method, const TlsOptions& options, const TlsMaterial& material) {
  ERR_clear_error();
  SslContextPtr context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  KeepItSmall(context.get());
  // Versions before 1.2 sign with SHA-1, which OpenSSL takes at level 0 only.
  if (options.min_version < TlsVersion::k12) SSL_CTX_set_security_level(context.get(), 0);
  CHECK(SSL_CTX_set_min_proto_version(context.get(), VersionNumber(options.min_version)) == 1);
  if (options.max_version.has_value()) {
    CHECK(SSL_CTX_set_max_proto_version(context.get(), VersionNumber(*options.max_version)) == 1);
  }
  RETURN_IF_ERROR(UseCiphers(context.get(), options.cipher_suites));
  RETURN_IF_ERROR(UseCurves(context.get(), options.curve_preferences));
  RETURN_IF_ERROR(UseCertificate(context.get(), material));
  return context;
}

// The server's choice among what the client offers: HTTP/2 first. A client that offers neither is told so (RFC 7301).
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                   unsigned offered_size, void*) {
  static const std::string ours = StrCat(kAlpnHttp2, kAlpnHttp1);
  unsigned char* selected = nullptr;
  const int result = SSL_select_next_proto(&selected, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                           static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = selected;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace

TlsMaterial::~TlsMaterial() {
  OPENSSL_cleanse(key.text.data(), key.text.size());
}

StatusOr<TlsMaterial> ReadTlsMaterial(const TlsOptions& options, const std::string& client_ca_file) {
  TlsMaterial material;
  ASSIGN_OR_RETURN(material.certificate, ReadPem("cert", options.cert_file, options.cert_pem));
  ASSIGN_OR_RETURN(material.key, ReadPem("key", options.key_file, options.key_pem));
  ASSIGN_OR_RETURN(material.ca, ReadPem("ca", options.ca_file, options.ca_pem));
  ASSIGN_OR_RETURN(material.client_ca, ReadPem("client_ca", client_ca_file, ""));
  return material;
}

std::string Fingerprint(const TlsMaterial& material) {
  std::string digests;
  for (const PemText* pem : {&material.certificate, &material.key, &material.ca, &material.client_ca}) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(pem->text.data()), pem->text.size(), digest.data());
    digests.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  return digests;
}

StatusOr<SslContextPtr> MakeServerContext(const TlsServerOptions& options, const TlsMaterial& material) {
  ASSIGN_OR_RETURN(SslContextPtr context, MakeContext(TLS_server_method(), options, material));
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context.get(), &ChooseProtocol, nullptr);
  if (!material.ca.text.empty()) RETURN_IF_ERROR(CompleteChainFrom(context.get(), material.ca));
  if (material.client_ca.text.empty()) return context;
  RETURN_IF_ERROR(Trust(context.get(), material.client_ca));
  RETURN_IF_ERROR(NameAuthorities(context.get(), material.client_ca));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return context;
}

StatusOr<SslContextPtr> MakeClientContext(const TlsClientOptions& options, const TlsMaterial& material,
                                          ClientProtocol protocol) {
  ASSIGN_OR_RETURN(SslContextPtr context, MakeContext(TLS_client_method(), options, material));
  const std::string_view alpn = protocol == ClientProtocol::kHttp2 ? kAlpnHttp2 : kAlpnHttp1;
  CHECK(SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                                static_cast<unsigned>(alpn.size())) == 0);
  if (options.insecure_skip_verify) return context;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const bool has_ca = !material.ca.text.empty();
  if (has_ca) RETURN_IF_ERROR(Trust(context.get(), material.ca));
  if (!has_ca || options.include_system_ca_certs_pool) SSL_CTX_set_default_verify_paths(context.get());
  return context;
}

}  // namespace spanloom::net
