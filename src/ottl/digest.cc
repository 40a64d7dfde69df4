// SPDX-License-Identifier: Apache-2.0

#include "ottl/digest.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/check.h"

namespace spanloom::ottl {
namespace {

using DigestBytes = std::array<unsigned char, EVP_MAX_MD_SIZE>;

const EVP_MD* Algorithm(Digest digest) {
  switch (digest) {
    case Digest::kMd5:
      return EVP_md5();
    case Digest::kSha1:
      return EVP_sha1();
    case Digest::kSha256:
      return EVP_sha256();
    case Digest::kSha512:
      return EVP_sha512();
    case Digest::kSha3:
      return EVP_sha3_256();
  }
  return nullptr;
}

std::string Text(const DigestBytes& bytes, unsigned int size) {
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

std::string DigestOf(Digest digest, std::string_view text) {
  DigestBytes bytes;
  unsigned int size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), bytes.data(), &size, Algorithm(digest), nullptr) == 1);
  return Text(bytes, size);
}

std::string HmacOf(Digest digest, std::string_view key, std::string_view text) {
  DigestBytes bytes;
  unsigned int size = 0;
  const unsigned char* mac =
      HMAC(Algorithm(digest), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes.data(), &size);
  CHECK(mac != nullptr);
  return Text(bytes, size);
}

std::string HexDigest(Digest digest, std::string_view text) {
  return absl::BytesToHexString(DigestOf(digest, text));
}

std::string HexHmac(Digest digest, std::string_view key, std::string_view text) {
  return absl::BytesToHexString(HmacOf(digest, key, text));
}

}  // namespace spanloom::ottl
