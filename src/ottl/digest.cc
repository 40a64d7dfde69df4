// SPDX-License-Identifier: Apache-2.0

#include "ottl/digest.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace spanloom::ottl {
namespace {

std::string DigestOf(const EVP_MD* algorithm, std::string_view text) {
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const int is_done =
      EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, algorithm, nullptr);
  CHECK(is_done == 1);
  digest.resize(size);
  return digest;
}

}  // namespace

std::string Md5(std::string_view text) {
  return DigestOf(EVP_md5(), text);
}
std::string Sha1(std::string_view text) {
  return DigestOf(EVP_sha1(), text);
}
std::string Sha256(std::string_view text) {
  return DigestOf(EVP_sha256(), text);
}
std::string Sha512(std::string_view text) {
  return DigestOf(EVP_sha512(), text);
}

}  // namespace spanloom::ottl
