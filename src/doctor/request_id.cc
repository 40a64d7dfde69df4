// SPDX-License-Identifier: Apache-2.0

#include "doctor/request_id.h"

#include <algorithm>

#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

constexpr size_t kPromptDigitsMax = 4;  // more are the end of a UUID; guess

std::string_view WithoutPrompt(std::string_view id) {
  const size_t dash = id.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return id;
  const std::string_view digits = id.substr(dash + 1);
  const bool is_number = !digits.empty() && digits.size() <= kPromptDigitsMax &&
                         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? id.substr(0, dash) : id;
}

}  // namespace

bool IsRequestIdKey(std::string_view key) {
  return key == semconv::gen_ai::kRequestId || key == semconv::envoy::kRequestId;
}

std::string_view BaseRequestId(std::string_view value) {
  for (const std::string_view prefix : {"chatcmpl-", "generate-tokens-"}) {
    if (value.starts_with(prefix)) return value.substr(prefix.size());
  }
  for (const std::string_view prefix : {"cmpl-", "embd-"}) {
    if (value.starts_with(prefix)) return WithoutPrompt(value.substr(prefix.size()));
  }
  return value;
}

}  // namespace spanloom::doctor
