// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/password_hash.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kSha1Bytes = 20;
constexpr size_t kMd5Bytes = 16;
constexpr std::string_view kApacheMd5 = "$apr1$";
constexpr size_t kApacheSaltBytesMax = 8;
constexpr int kApacheRounds = 1000;  // apr_md5.c of Apache's apr-util
constexpr size_t kBcryptBytes = 56;  // crypt(5): "12$", the salt and the hash
constexpr int kBcryptCostMin = 4;
constexpr int kBcryptCostMax = 31;
constexpr std::string_view kCryptPrefixes[] = {"$1$", "$2a$", "$2b$", "$2x$", "$2y$", "$5$", "$6$"};

std::string Digest(const EVP_MD* algorithm, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int bytes = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &bytes, algorithm, nullptr) == 1);
  return {reinterpret_cast<const char*>(digest.data()), bytes};
}

// The base64 of crypt, six bits a character, the lowest first.
void AppendCryptBase64(uint32_t value, int characters, std::string& out) {
  constexpr std::string_view kAlphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; characters > 0; --characters, value >>= 6) out.push_back(kAlphabet[value & 63]);
}

// In the order of apr_md5.c.
std::string ApacheText(std::string_view digest) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(digest[i])); };
  std::string text;
  for (size_t i = 0; i < 5; ++i) {
    AppendCryptBase64(byte(i) << 16 | byte(i + 6) << 8 | byte(i == 4 ? 5 : i + 12), 4, text);
  }
  AppendCryptBase64(byte(11), 2, text);
  return text;
}

std::string ApacheStart(std::string_view password, std::string_view salt) {
  const std::string inner = Digest(EVP_md5(), StrCat(password, salt, password));
  std::string text = StrCat(password, kApacheMd5, salt);
  for (size_t left = password.size(); left > 0; left -= std::min(left, kMd5Bytes)) {
    text.append(inner, 0, std::min(left, kMd5Bytes));
  }
  for (size_t bits = password.size(); bits > 0; bits >>= 1) text.push_back((bits & 1) != 0 ? '\0' : password[0]);
  return Digest(EVP_md5(), text);
}

// What Apache makes of `password`: MD5 over and over, mixed with the password and the salt.
std::string ApacheDigest(std::string_view password, std::string_view salt) {
  std::string digest = ApacheStart(password, salt);
  for (int round = 0; round < kApacheRounds; ++round) {
    const bool is_odd = round % 2 != 0;
    std::string text(is_odd ? password : std::string_view(digest));
    if (round % 3 != 0) text.append(salt);
    if (round % 7 != 0) text.append(password);
    text.append(is_odd ? std::string_view(digest) : password);
    digest = Digest(EVP_md5(), text);
  }
  return ApacheText(digest);
}

std::string Crypt(std::string_view password, const std::string& setting) {
  const auto state = std::make_unique<crypt_data>();
  const char* hashed = crypt_r(std::string(password).c_str(), setting.c_str(), state.get());
  return hashed == nullptr ? "" : hashed;
}

// True if `text` has the parts of its kind; whether they fit shows when it is used.
bool CanBeCrypt(std::string_view text, std::string_view prefix) {
  const std::string_view rest = text.substr(prefix.size());
  if (!prefix.starts_with("$2")) return rest.rfind('$') != std::string_view::npos && !rest.ends_with('$');
  int cost = 0;
  const bool has_cost =
      rest.size() == kBcryptBytes && rest[2] == '$' && absl::SimpleAtoi(AbslView(rest.substr(0, 2)), &cost);
  return has_cost && cost >= kBcryptCostMin && cost <= kBcryptCostMax;
}

Status NoSuchHash(std::string_view kind) {
  return absl::InvalidArgumentError(StrCat("what follows ", kind, " is no such hash"));
}

}  // namespace

bool SameSecret(std::string_view left, std::string_view right) {
  // Digests are of one length, whatever the secrets' is.
  const std::string key = Digest(EVP_sha256(), right);
  return CRYPTO_memcmp(KeyedDigest(key, left).data(), KeyedDigest(key, right).data(), 32) == 0;
}

std::string RandomKey() {
  std::array<unsigned char, 32> key;
  CHECK(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::string KeyedDigest(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int bytes = 0;
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &bytes) != nullptr);
  return {reinterpret_cast<const char*>(digest.data()), bytes};
}

StatusOr<PasswordHash> PasswordHash::Parse(std::string_view text) {
  if (text.starts_with(kApacheMd5)) {
    const std::string_view rest = text.substr(kApacheMd5.size());
    const size_t dollar = rest.find('$');
    if (dollar == std::string_view::npos || dollar > kApacheSaltBytesMax) return NoSuchHash(kApacheMd5);
    return PasswordHash(Kind::kApacheMd5, std::string(rest.substr(dollar + 1)), std::string(rest.substr(0, dollar)));
  }
  for (const std::string_view prefix : kCryptPrefixes) {
    if (!text.starts_with(prefix)) continue;
    if (!CanBeCrypt(text, prefix)) return NoSuchHash(prefix);
    return PasswordHash(Kind::kCrypt, std::string(text), "");
  }
  for (const std::string_view prefix : {"{SHA}", "{SSHA}"}) {
    if (!text.starts_with(prefix)) continue;
    std::string bytes;
    const bool is_base64 = absl::Base64Unescape(AbslView(text.substr(prefix.size())), &bytes);
    const bool has_salt = prefix == "{SSHA}";
    if (!is_base64 || bytes.size() < kSha1Bytes || (!has_salt && bytes.size() > kSha1Bytes)) return NoSuchHash(prefix);
    return PasswordHash(Kind::kSha1, bytes.substr(0, kSha1Bytes), bytes.substr(kSha1Bytes));
  }
  return PasswordHash(Kind::kPlain, std::string(text), "");
}

bool PasswordHash::Matches(std::string_view password) const {
  switch (kind_) {
    case Kind::kPlain:
      return SameSecret(password, text_);
    case Kind::kSha1:
      return SameSecret(Digest(EVP_sha1(), StrCat(password, salt_)), text_);
    case Kind::kApacheMd5:
      return SameSecret(ApacheDigest(password, salt_), text_);
    case Kind::kCrypt:
      // crypt reads up to the first zero byte; nobody may leave out what follows one.
      return password.find('\0') == std::string_view::npos && SameSecret(Crypt(password, text_), text_);
  }
  return false;
}

}  // namespace spanloom::pipeline
