// SPDX-License-Identifier: Apache-2.0
//
// A certificate that nobody vouches for, made by the process that shows it: TLS for those who do not ask whom they talk
// to, until somebody provides another.

#pragma once

#include <string>

#include "base/status.h"

namespace spanloom::net {

// PEM both.
struct SelfSigned {
  std::string certificate;
  std::string key;
};

// A P-256 key and a certificate for `name`, valid from an hour ago for ten years, as llm-d's sidecar makes one.
// kInternal if OpenSSL has no randomness or memory.
StatusOr<SelfSigned> MakeSelfSigned(const std::string& name);

}  // namespace spanloom::net
