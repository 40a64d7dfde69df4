// SPDX-License-Identifier: Apache-2.0

#include "pipeline/component_id.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kTypeBytesMax = 63;
constexpr size_t kNameBytesMax = 1024;

bool IsType(std::string_view type) {
  const auto is_word = [](char c) { return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c)); };
  return !type.empty() && type.size() <= kTypeBytesMax && absl::ascii_isalpha(static_cast<unsigned char>(type[0])) &&
         absl::c_all_of(type, is_word);
}

bool IsName(std::string_view name) {
  const auto is_visible = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; };
  return !name.empty() && name.size() <= kNameBytesMax && absl::c_all_of(name, is_visible);
}

std::string_view Trimmed(std::string_view text) {
  return StdView(absl::StripAsciiWhitespace(AbslView(text)));
}

}  // namespace

StatusOr<ComponentId> ComponentId::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view type = Trimmed(text.substr(0, slash));
  if (!IsType(type)) {
    return absl::InvalidArgumentError(StrCat("in \"", text,
                                             "\" id: the part before / must start with a letter and hold "
                                             "only letters, digits and _ (at most 63)"));
  }
  if (slash == std::string_view::npos) return ComponentId{std::string(type), ""};
  const std::string_view name = Trimmed(text.substr(slash + 1));
  if (!IsName(name)) {
    return absl::InvalidArgumentError(
        StrCat("in \"", text, "\" id: the part after / must not be empty, hold spaces, or exceed 1024 bytes"));
  }
  return ComponentId{std::string(type), std::string(name)};
}

std::string ComponentId::ToString() const {
  return name.empty() ? type : StrCat(type, "/", name);
}

}  // namespace spanloom::pipeline
