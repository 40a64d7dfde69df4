// SPDX-License-Identifier: Apache-2.0

#include "config/location.h"

#include <absl/algorithm/container.h>
#include <absl/strings/ascii.h>

#include <string>

#include "base/text.h"
#include "base/url.h"

namespace spanloom::config {
namespace {

constexpr size_t kShownBytesMax = 60;  // of YAML on the command line, in messages

// "" if there is none: a path then. One letter before a colon is a drive.
std::string_view SchemeOf(std::string_view location) {
  const size_t colon = location.find(':');
  if (colon == std::string_view::npos || colon < 2) return "";
  const std::string_view scheme = location.substr(0, colon);
  const bool is_scheme =
      absl::c_all_of(scheme, [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+'; });
  return is_scheme ? scheme : "";
}

StatusOr<ConfigText> ReadFileAt(std::string_view path, const ExpansionSources& sources) {
  ASSIGN_OR_RETURN(std::string text, sources.read_file(std::string(path)));
  return ConfigText{.file = std::string(path), .text = std::move(text)};
}

StatusOr<ConfigText> ReadUrlAt(std::string_view url, const ExpansionSources& sources) {
  if (!sources.fetch) return absl::InvalidArgumentError(StrCat("URLs are not supported here: ", ShownUrl(url)));
  ASSIGN_OR_RETURN(std::string text, sources.fetch(std::string(url)));
  return ConfigText{.file = ShownUrl(url), .text = std::move(text)};
}

}  // namespace

StatusOr<ConfigText> ReadLocation(std::string_view location, const ExpansionSources& sources) {
  const std::string_view scheme = SchemeOf(location);
  if (scheme.empty()) return ReadFileAt(location, sources);
  const std::string_view rest = location.substr(scheme.size() + 1);
  if (scheme == "file") return ReadFileAt(rest, sources);
  if (scheme == "yaml") {
    const bool is_long = location.size() > kShownBytesMax;
    return ConfigText{.file = StrCat(location.substr(0, kShownBytesMax), is_long ? "..." : ""),
                      .text = std::string(rest)};
  }
  if (scheme == "env") {
    if (!IsVariableName(rest)) return absl::InvalidArgumentError(InvalidVariableName(rest));
    return ConfigText{.file = std::string(location), .text = sources.environment(std::string(rest)).value_or("")};
  }
  if (scheme == "http" || scheme == "https") return ReadUrlAt(location, sources);
  return absl::InvalidArgumentError(StrCat("scheme \"", scheme, "\" is not supported for uri \"", location,
                                           "\" (valid: file, env, yaml, http, https)"));
}

}  // namespace spanloom::config
