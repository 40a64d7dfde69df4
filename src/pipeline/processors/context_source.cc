// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/context_source.h"

#include <absl/strings/ascii.h>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr std::string_view kMetadataPrefix = "metadata.";
constexpr std::string_view kAuthPrefix = "auth.";
constexpr std::string_view kAddressName = "client.address";

std::optional<std::string> Joined(const otlp::RequestOrigin::Pairs& pairs, std::string_view key) {
  std::optional<std::string> joined;
  for (const auto& [name, value] : pairs) {
    if (name != key) continue;
    if (joined) {
      StrAppend(*joined, ";", value);
    } else {
      joined = value;
    }
  }
  return joined;
}

}  // namespace

ContextSource::ContextSource(std::string_view name) {
  if (name == kAddressName) {
    kind_ = Kind::kAddress;
  } else if (name.starts_with(kAuthPrefix)) {
    kind_ = Kind::kAuth;
    key_ = name.substr(kAuthPrefix.size());
  } else {
    const size_t prefix_bytes = name.starts_with(kMetadataPrefix) ? kMetadataPrefix.size() : 0;
    key_ = absl::AsciiStrToLower(AbslView(name.substr(prefix_bytes)));
  }
}

std::optional<std::string> ContextSource::Find(const otlp::RequestOrigin* origin) const {
  if (kind_ == Kind::kAddress) return origin == nullptr ? "" : origin->peer_address;
  if (origin == nullptr) return std::nullopt;
  return Joined(kind_ == Kind::kAuth ? origin->auth : origin->metadata, key_);
}

}  // namespace spanloom::pipeline
