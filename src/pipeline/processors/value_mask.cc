// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/value_mask.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <cstddef>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kAsterisks = "****";

struct Function {
  std::string_view name;
  ottl::Digest digest;
  size_t key_bytes_min = 0;  // 0: it takes no key. The Collector's limits, the size of each digest
};

constexpr Function kFunctions[] = {{"md5", ottl::Digest::kMd5},
                                   {"sha1", ottl::Digest::kSha1},
                                   {"sha3", ottl::Digest::kSha3},
                                   {"hmac-sha256", ottl::Digest::kSha256, 32},
                                   {"hmac-sha512", ottl::Digest::kSha512, 64}};

Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(AbslView(message));
}

}  // namespace

StatusOr<ValueMask> ValueMask::Make(std::string_view function, std::string_view key) {
  const std::string name = absl::AsciiStrToLower(AbslView(function));
  const auto* known = absl::c_find_if(kFunctions, [&](const Function& f) { return f.name == name; });
  const bool is_known = known != std::end(kFunctions);
  if (!is_known && !name.empty()) {
    return Invalid("hash_function must be one of md5, sha1, sha3, hmac-sha256, hmac-sha512");
  }
  const size_t key_bytes_min = is_known ? known->key_bytes_min : 0;
  if (key.size() < key_bytes_min) {
    return Invalid(StrCat("hmac_key must have at least ", key_bytes_min, " bytes for ", name));
  }
  return ValueMask(is_known ? std::optional(known->digest) : std::nullopt, key_bytes_min == 0 ? "" : std::string(key));
}

std::string ValueMask::Of(std::string_view text) const {
  if (!digest_) return std::string(kAsterisks);
  return key_.empty() ? ottl::HexDigest(*digest_, text) : ottl::HexHmac(*digest_, key_, text);
}

}  // namespace spanloom::pipeline
