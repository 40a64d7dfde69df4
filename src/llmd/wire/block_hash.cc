// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/block_hash.h"

#include <openssl/sha.h>
#include <xxhash.h>

#include <array>

#include "base/text.h"

namespace spanloom::llmd::wire {
namespace {

// Major types of CBOR (RFC 8949, section 3.1), in the three high bits of a head.
enum CborMajor : uint8_t { kUnsigned = 0, kByteString = 2, kTextString = 3, kArray = 4 };
constexpr char kCborNull = '\xf6';

void AppendBigEndian(uint64_t value, int bytes, std::string& out) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

// The shortest head, as canonical CBOR has it.
void AppendHead(CborMajor major, uint64_t value, std::string& out) {
  const auto type = static_cast<uint8_t>(major << 5);
  const auto open = [&](uint8_t low) { out.push_back(static_cast<char>(type | low)); };
  if (value < 24) return open(static_cast<uint8_t>(value));
  if (value <= 0xff) return open(24), AppendBigEndian(value, 1, out);
  if (value <= 0xffff) return open(25), AppendBigEndian(value, 2, out);
  if (value <= 0xffffffff) return open(26), AppendBigEndian(value, 4, out);
  open(27);
  AppendBigEndian(value, 8, out);
}

void AppendString(CborMajor major, std::string_view text, std::string& out) {
  AppendHead(major, text.size(), out);
  out.append(text);
}

void AppendExtraKeys(std::span<const std::string> keys, std::span<const std::string> more, std::string& out) {
  if (keys.empty() && more.empty()) return out.push_back(kCborNull);
  AppendHead(kArray, keys.size() + more.size(), out);
  for (const std::string& key : keys) AppendString(kTextString, key, out);
  for (const std::string& key : more) AppendString(kTextString, key, out);
}

uint64_t LowWord(std::string_view digest) {
  uint64_t word = 0;
  for (const char byte : digest.substr(digest.size() - sizeof(word))) word = word << 8 | static_cast<uint8_t>(byte);
  return word;
}

}  // namespace

StatusOr<BlockHashAlgorithm> ParseBlockHashAlgorithm(std::string_view name) {
  if (name == "sha256_cbor") return BlockHashAlgorithm::kSha256Cbor;
  if (name == "xxhash_cbor") return BlockHashAlgorithm::kXxhashCbor;
  if (name == "sha256" || name == "xxhash") {
    return absl::InvalidArgumentError(StrCat("\"", name,
                                             "\" hashes what Python's pickle writes, which only Python can; use \"",
                                             name, "_cbor\", on every engine and on the router"));
  }
  return absl::InvalidArgumentError(StrCat("\"", name, "\" is no hash of blocks; there are sha256_cbor, xxhash_cbor"));
}

std::string HashPrompt(std::span<const TokenId> tokens) {
  constexpr int kByteBits = 8;
  std::string bytes;
  bytes.reserve(tokens.size() * sizeof(TokenId));
  for (const TokenId token : tokens) {
    for (size_t i = 0; i < sizeof(TokenId); ++i) bytes.push_back(static_cast<char>(token >> kByteBits * i));
  }
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), reinterpret_cast<uint8_t*>(digest.data()));
  return digest;
}

BlockHasher::BlockHasher(BlockHashAlgorithm algorithm, size_t block_tokens, std::string_view seed)
    : algorithm_(algorithm), block_tokens_(block_tokens) {
  std::string cbor;
  AppendString(kTextString, seed, cbor);
  first_parent_ = Digest(cbor);
}

std::string BlockHasher::Digest(std::string_view cbor) const {
  if (algorithm_ == BlockHashAlgorithm::kXxhashCbor) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(cbor.data(), cbor.size()));
    return {reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest)};
  }
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(cbor.data()), cbor.size(), digest.data());
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::vector<uint64_t> BlockHasher::Hash(std::span<const TokenId> tokens, std::span<const std::string> extra_keys,
                                        std::span<const std::string> first_extra_keys) const {
  std::vector<uint64_t> hashes;
  hashes.reserve(tokens.size() / block_tokens_);
  std::string parent = first_parent_;
  std::string cbor;
  for (size_t begin = 0; begin + block_tokens_ <= tokens.size(); begin += block_tokens_) {
    cbor.clear();
    AppendHead(kArray, 3, cbor);
    AppendString(kByteString, parent, cbor);
    AppendHead(kArray, block_tokens_, cbor);
    for (const TokenId token : tokens.subspan(begin, block_tokens_)) AppendHead(kUnsigned, token, cbor);
    AppendExtraKeys(extra_keys, begin == 0 ? first_extra_keys : std::span<const std::string>(), cbor);
    parent = Digest(cbor);
    hashes.push_back(LowWord(parent));
  }
  return hashes;
}

}  // namespace spanloom::llmd::wire
