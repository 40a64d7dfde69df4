// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/request_condition.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/lexer.h"

namespace spanloom::pipeline {
namespace {

using Kind = ottl::Token::Kind;

// The token's string; null if it is none.
const std::string* TextOf(const ottl::Token& token) {
  return token.kind == Kind::kString ? std::get_if<std::string>(&token.value) : nullptr;
}

Status WrongForm(std::string_view text) {
  return absl::InvalidArgumentError(StrCat(
      "condition ", ottl::Quoted(text), " must have the form request[\"header\"] == \"value\", or != in place of =="));
}

}  // namespace

StatusOr<RequestCondition> RequestCondition::Parse(std::string_view text) {
  const auto tokens = ottl::Lex(text);
  if (!tokens.ok() || tokens->size() != 7) return WrongForm(text);
  const std::vector<ottl::Token>& all = *tokens;
  const std::string* const header = TextOf(all[2]);
  const std::string* const value = TextOf(all[5]);
  const bool equal = all[4].text == "==";
  const bool has_form = all[0].text == "request" && all[1].text == "[" && header != nullptr && all[3].text == "]" &&
                        (equal || all[4].text == "!=") && value != nullptr;
  if (!has_form) return WrongForm(text);
  RequestCondition condition;
  condition.header_ = absl::AsciiStrToLower(*header);
  condition.value_ = *value;
  condition.equal_ = equal;
  return condition;
}

bool RequestCondition::Matches(const otlp::RequestOrigin* origin) const {
  if (origin == nullptr) return false;
  return absl::c_any_of(origin->metadata, [this](const auto& pair) {
    return pair.first == header_ && (pair.second == value_) == equal_;
  });
}

}  // namespace spanloom::pipeline
