// SPDX-License-Identifier: Apache-2.0

#include "ottl/glob.h"

#include "base/text.h"
#include "ottl/pattern.h"
#include "ottl/utf8.h"

namespace spanloom::ottl {
namespace {

class GlobReader {
 public:
  explicit GlobReader(std::string_view glob) : rest_(glob) {}

  StatusOr<std::string> Read() {
    while (!rest_.empty()) {
      const std::string_view character = Take();
      if (character == "[") {
        RETURN_IF_ERROR(Brackets());
      } else {
        Outside(character);
      }
    }
    for (; braces_ > 0; --braces_) pattern_ += ')';
    return "(?s)\\A(?:" + pattern_ + ")\\z";
  }

 private:
  std::string_view Take() {
    const std::string_view character = rest_.substr(0, Utf8Size(rest_));
    rest_.remove_prefix(character.size());
    return character;
  }

  void Literal(std::string_view text) { pattern_ += re2::RE2::QuoteMeta({text.data(), text.size()}); }

  void Outside(std::string_view character) {
    if (character == "*") {
      pattern_ += ".*";
    } else if (character == "?") {
      pattern_ += '.';
    } else if (character == "{") {
      ++braces_;
      pattern_ += "(?:";
    } else if (character == "}" && braces_ > 0) {
      --braces_;
      pattern_ += ')';
    } else if (character == "," && braces_ > 0) {
      pattern_ += '|';
    } else if (character == "\\") {
      Literal(Take());
    } else {
      Literal(character);
    }
  }

  // Behind "[".
  Status Brackets() {
    const bool is_negated = rest_.starts_with('!');
    if (is_negated) Take();
    if (rest_.empty()) return absl::InvalidArgumentError("unexpected end of input");
    pattern_ += is_negated ? "[^" : "[";
    const size_t first_size = Utf8Size(rest_);
    RETURN_IF_ERROR(rest_.substr(first_size).starts_with('-') ? Range() : OneOf());
    if (rest_.empty()) return absl::InvalidArgumentError("unexpected end of input");
    if (!rest_.starts_with(']')) return absl::InvalidArgumentError("expected close range character");
    Take();
    pattern_ += ']';
    return absl::OkStatus();
  }

  Status Range() {
    const std::string_view first = Take();
    Take();
    if (rest_.empty()) return absl::InvalidArgumentError("unexpected end of input");
    const std::string_view last = Take();
    if (rest_.empty()) return absl::InvalidArgumentError("unexpected end of input");
    if (last < first) {
      return absl::InvalidArgumentError(StrCat("hi character '", last, "' should be greater than lo '", first, "'"));
    }
    Literal(first);
    pattern_ += '-';
    Literal(last);
    return absl::OkStatus();
  }

  Status OneOf() {
    if (rest_.starts_with(']')) return absl::InvalidArgumentError("could not parse range");
    while (!rest_.empty() && !rest_.starts_with(']')) {
      const std::string_view character = Take();
      Literal(character == "\\" ? Take() : character);
    }
    return absl::OkStatus();
  }

  std::string_view rest_;
  std::string pattern_;
  int braces_ = 0;
};

}  // namespace

StatusOr<std::string> GlobToPattern(std::string_view glob) {
  return GlobReader(glob).Read();
}

}  // namespace spanloom::ottl
