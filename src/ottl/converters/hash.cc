// SPDX-License-Identifier: Apache-2.0
//
// Converters that hash strings. The digests are OpenSSL's, XXH3 is xxHash's (docs/decisions/0018); FNV and Murmur3 are
// a few lines each.

#include <absl/strings/escaping.h>
#include <xxhash.h>

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "base/text.h"
#include "ottl/digest.h"
#include "ottl/function_table.h"

namespace spanloom::ottl {
namespace {

using Type = ParameterType;

constexpr Parameter kValue = {"target", Type::kString};

Value NewHex(Evaluation& e, std::string_view bytes) {
  return e.NewString(absl::BytesToHexString(AbslView(bytes)));
}

template <Digest kDigest>
Value DigestOfText(Evaluation& e, const Arguments& a) {
  return e.NewString(HexDigest(kDigest, a[0].text()));
}

// FNV-1a of 64 bits. http://www.isthe.com/chongo/tech/comp/fnv/
Value Fnv(Evaluation&, const Arguments& a) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : a[0].text()) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return Value::Int(static_cast<int64_t>(hash));
}

template <typename Word>
std::string LittleEndian(Word word) {
  std::string bytes;
  for (size_t i = 0; i < sizeof word; ++i) bytes.push_back(static_cast<char>(word >> (8 * i)));
  return bytes;
}

template <typename Word>
std::string BigEndian(Word word) {
  const std::string bytes = LittleEndian(word);
  return {bytes.rbegin(), bytes.rend()};
}

Value Xxh3(Evaluation& e, const Arguments& a) {
  const std::string_view text = a[0].text();
  return NewHex(e, BigEndian(XXH3_64bits(text.data(), text.size())));
}

Value Xxh128(Evaluation& e, const Arguments& a) {
  const std::string_view text = a[0].text();
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return NewHex(e, BigEndian(hash.high64) + BigEndian(hash.low64));
}

// MurmurHash3, x86 of 32 bits and x64 of 128 bits, seed 0. https://github.com/aappleby/smhasher/wiki/MurmurHash3
template <typename Word>
Word WordAt(std::string_view text, size_t at) {
  Word word = 0;
  for (size_t i = 0; i < sizeof word && at + i < text.size(); ++i) {
    word |= static_cast<Word>(static_cast<uint8_t>(text[at + i])) << (8 * i);
  }
  return word;
}

uint32_t Murmur32(std::string_view text) {
  const auto mixed = [](uint32_t k) { return std::rotl(k * 0xcc9e2d51, 15) * 0x1b873593; };
  uint32_t hash = 0;
  size_t at = 0;
  for (; at + 4 <= text.size(); at += 4)
    hash = std::rotl(hash ^ mixed(WordAt<uint32_t>(text, at)), 13) * 5 + 0xe6546b64;
  if (at < text.size()) hash ^= mixed(WordAt<uint32_t>(text, at));
  hash ^= static_cast<uint32_t>(text.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

uint64_t Finished(uint64_t k) {
  k = (k ^ k >> 33) * 0xff51afd7ed558ccd;
  k = (k ^ k >> 33) * 0xc4ceb9fe1a85ec53;
  return k ^ k >> 33;
}

std::array<uint64_t, 2> Murmur128(std::string_view text) {
  constexpr uint64_t kFirst = 0x87c37b91114253d5;
  constexpr uint64_t kSecond = 0x4cf5ad432745937f;
  const auto mixed_first = [](uint64_t k) { return std::rotl(k * kFirst, 31) * kSecond; };
  const auto mixed_second = [](uint64_t k) { return std::rotl(k * kSecond, 33) * kFirst; };
  uint64_t h1 = 0;
  uint64_t h2 = 0;
  size_t at = 0;
  for (; at + 16 <= text.size(); at += 16) {
    h1 = (std::rotl(h1 ^ mixed_first(WordAt<uint64_t>(text, at)), 27) + h2) * 5 + 0x52dce729;
    h2 = (std::rotl(h2 ^ mixed_second(WordAt<uint64_t>(text, at + 8)), 31) + h1) * 5 + 0x38495ab5;
  }
  if (at < text.size()) {
    h2 ^= mixed_second(WordAt<uint64_t>(text, at + 8));
    h1 ^= mixed_first(WordAt<uint64_t>(text, at));
  }
  h1 ^= text.size();
  h2 ^= text.size();
  h1 += h2;
  h2 += h1;
  h1 = Finished(h1);
  h2 = Finished(h2);
  h1 += h2;
  return {h1, h2 + h1};
}

Value Murmur3Hash(Evaluation& e, const Arguments& a) {
  return NewHex(e, LittleEndian(Murmur32(a[0].text())));
}

Value Murmur3Hash128(Evaluation& e, const Arguments& a) {
  const auto hash = Murmur128(a[0].text());
  return NewHex(e, LittleEndian(hash[0]) + LittleEndian(hash[1]));
}

constexpr Function kFunctions[] = {
    {"MD5", {kValue}, DigestOfText<Digest::kMd5>},
    {"SHA1", {kValue}, DigestOfText<Digest::kSha1>},
    {"SHA256", {kValue}, DigestOfText<Digest::kSha256>},
    {"SHA512", {kValue}, DigestOfText<Digest::kSha512>},
    {"FNV", {kValue}, Fnv},
    {"XXH3", {kValue}, Xxh3},
    {"XXH128", {kValue}, Xxh128},
    {"Murmur3Hash", {Parameter{"target", Type::kString}}, Murmur3Hash},
    {"Murmur3Hash128", {Parameter{"target", Type::kString}}, Murmur3Hash128},
};

}  // namespace

std::span<const Function> HashConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
