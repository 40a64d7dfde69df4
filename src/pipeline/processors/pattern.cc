// SPDX-License-Identifier: Apache-2.0

#include "pipeline/processors/pattern.h"

#include <absl/algorithm/container.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "ottl/named_groups.h"
#include "ottl/replacement.h"

namespace spanloom::pipeline {
namespace {

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

Pattern::Pattern(std::unique_ptr<const re2::RE2> expression) : expression_(std::move(expression)) {
  group_names_.resize(static_cast<size_t>(expression_->NumberOfCapturingGroups()) + 1);
  for (const auto& [number, name] : expression_->CapturingGroupNames())
    group_names_[static_cast<size_t>(number)] = name;
}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

StatusOr<Pattern> Pattern::Compile(const std::string& expression) {
  auto compiled = std::make_unique<const re2::RE2>(ottl::WithNamesOfRe2(expression), re2::RE2::Quiet);
  if (compiled->ok()) return Pattern(std::move(compiled));
  return absl::InvalidArgumentError(StrCat("is not a regular expression: ", compiled->error()));
}

bool Pattern::Matches(std::string_view text) const {
  return re2::RE2::PartialMatch(Piece(text), *expression_);
}

bool Pattern::Find(std::string_view text, std::vector<std::string_view>& groups) const {
  std::vector<re2::StringPiece> pieces(group_names_.size());
  if (!expression_->Match(Piece(text), 0, text.size(), re2::RE2::UNANCHORED, pieces.data(),
                          static_cast<int>(pieces.size()))) {
    return false;
  }
  groups.clear();
  for (const re2::StringPiece& piece : pieces) groups.emplace_back(piece.data(), piece.size());
  return true;
}

std::string Pattern::ReplaceAll(std::string_view text,
                                absl::FunctionRef<std::string(std::string_view match)> replace) const {
  std::optional<std::string> replaced = ottl::ReplaceMatches(
      *expression_, 1, text, [&](ottl::GroupTexts groups) -> std::optional<std::string> { return replace(groups[0]); });
  return replaced ? *std::move(replaced) : std::string(text);
}

Status CheckPattern(const std::string& expression) {
  return Pattern::Compile(expression).status();
}

Status CheckPatternOf(std::string_view key, const std::string& expression) {
  const Status status = CheckPattern(expression);
  return status.ok() ? status : absl::InvalidArgumentError(StrCat(key, " ", StdView(status.message())));
}

struct PatternList::Together {
  re2::RE2::Set set{re2::RE2::Quiet, re2::RE2::UNANCHORED};
};

PatternList::PatternList(const std::vector<std::string>& expressions) {
  for (const std::string& expression : expressions) {
    StatusOr<Pattern> pattern = Pattern::Compile(expression);
    CHECK(pattern.ok());
    patterns_.push_back(*std::move(pattern));
  }
  if (patterns_.size() < 2) return;
  auto together = std::make_unique<Together>();
  for (const std::string& expression : expressions)
    CHECK(together->set.Add(ottl::WithNamesOfRe2(expression), nullptr) >= 0);
  if (together->set.Compile()) together_ = std::move(together);
}
PatternList::PatternList(PatternList&&) noexcept = default;
PatternList& PatternList::operator=(PatternList&&) noexcept = default;
PatternList::~PatternList() = default;

bool PatternList::AnyMatches(std::string_view text) const {
  if (together_ != nullptr) {
    re2::RE2::Set::ErrorInfo error = {};
    if (together_->set.Match(Piece(text), nullptr, &error)) return true;
    if (error.kind == re2::RE2::Set::kNoError) return false;
  }
  return absl::c_any_of(patterns_, [text](const Pattern& pattern) { return pattern.Matches(text); });
}

}  // namespace spanloom::pipeline
