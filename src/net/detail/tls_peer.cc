// SPDX-License-Identifier: Apache-2.0

#include "net/detail/tls_peer.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <string>

#include "base/check.h"

namespace spanloom::net {
namespace {

std::string SubjectOf(const X509* certificate) {
  BIO* const bio = BIO_new(BIO_s_mem());
  CHECK(bio != nullptr);
  X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string subject(text, static_cast<size_t>(size));
  BIO_free(bio);
  return subject;
}

std::string Text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

// "" if it is no address.
std::string IpText(const std::string& bytes) {
  using boost::asio::ip::address_v4;
  using boost::asio::ip::address_v6;
  const auto copy_to = [&](auto& address) { std::copy(bytes.begin(), bytes.end(), address.begin()); };
  if (address_v4::bytes_type v4{}; bytes.size() == v4.size()) {
    copy_to(v4);
    return address_v4(v4).to_string();
  }
  if (address_v6::bytes_type v6{}; bytes.size() == v6.size()) {
    copy_to(v6);
    return address_v6(v6).to_string();
  }
  return {};
}

void AddName(const GENERAL_NAME& name, PeerCertificate& peer) {
  switch (name.type) {
    case GEN_DNS:
      return peer.dns_names.push_back(Text(name.d.dNSName));
    case GEN_URI:
      return peer.uris.push_back(Text(name.d.uniformResourceIdentifier));
    case GEN_EMAIL:
      return peer.email_addresses.push_back(Text(name.d.rfc822Name));
    case GEN_IPADD:
      if (std::string address = IpText(Text(name.d.iPAddress)); !address.empty()) {
        peer.ip_addresses.push_back(std::move(address));
      }
      return;
    default:
      return;
  }
}

void AddNames(const X509* certificate, PeerCertificate& peer) {
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) AddName(*sk_GENERAL_NAME_value(names, i), peer);
  GENERAL_NAMES_free(names);
}

}  // namespace

std::shared_ptr<const PeerCertificate> PeerCertificateOf(const ssl_st* ssl) {
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return nullptr;
  auto peer = std::make_shared<PeerCertificate>();
  peer->subject = SubjectOf(certificate);
  AddNames(certificate, *peer);
  return peer;
}

}  // namespace spanloom::net
