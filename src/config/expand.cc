// SPDX-License-Identifier: Apache-2.0

#include "config/expand.h"

#include <absl/algorithm/container.h>
#include <absl/functional/function_ref.h>
#include <absl/strings/ascii.h>

#include <string_view>
#include <utility>

#include "base/text.h"
#include "base/url.h"
#include "config/problems.h"
#include "config/yaml.h"

namespace spanloom::config {
namespace {

// Position of the "}" that closes the "${" at `begin`; npos if it is never closed.
size_t FindClose(std::string_view text, size_t begin) {
  int depth = 0;
  for (size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// The tree with each scalar replaced by what `replace` makes of it; its first error, if there is one.
StatusOr<Node> WithScalars(const Node& node, absl::FunctionRef<StatusOr<Node>(const Node&)> replace) {
  if (node.is_scalar()) return replace(node);
  std::vector<Node> items;
  for (const Node& item : node.items()) {
    ASSIGN_OR_RETURN(Node replaced, WithScalars(item, replace));
    items.push_back(std::move(replaced));
  }
  std::vector<Node::Entry> entries;
  for (const Node::Entry& entry : node.entries()) {
    ASSIGN_OR_RETURN(Node replaced, WithScalars(entry.value, replace));
    entries.push_back({entry.key, entry.source, std::move(replaced)});
  }
  if (node.is_list()) return Node::List(std::move(items), node.source());
  if (node.is_map()) return Node::Map(std::move(entries), node.source());
  return node;
}

class Expander {
 public:
  explicit Expander(const ExpansionSources& sources) : sources_(sources) {}

  // A value that can't be expanded stays as it is and is one of the problems.
  Node ExpandRoot(const Node& root, Problems& problems);
  std::vector<std::string> TakeWarnings() { return std::move(warnings_); }

 private:
  StatusOr<Node> ExpandNode(const Node& node, int depth);
  StatusOr<Node> ExpandScalar(const Node& node, int depth);
  StatusOr<Node> ExpandWhole(const Node& node, std::string_view uri, int depth);
  StatusOr<std::string> ExpandText(std::string_view text, const Source& source, int depth);
  // The replacement of ${uri}; nullopt for a variable that is not set.
  StatusOr<std::optional<std::string>> Resolve(std::string_view uri, const Source& source, int depth);
  StatusOr<std::optional<std::string>> ResolveVariable(std::string_view reference, const Source& source);
  StatusOr<std::optional<std::string>> ResolveFile(std::string_view path, const Source& source);
  StatusOr<std::optional<std::string>> ResolveUrl(std::string_view url, const Source& source);
  Status CheckLimits(size_t bytes, const Source& source, int depth);

  const ExpansionSources& sources_;
  std::vector<std::string> warnings_;
  size_t expanded_bytes_ = 0;
};

Status At(const Source& source, std::string_view text) {
  return absl::InvalidArgumentError(StrCat(source.ToString(), ": ", text));
}

Status Expander::CheckLimits(size_t bytes, const Source& source, int depth) {
  expanded_bytes_ += bytes;
  if (expanded_bytes_ > kExpandedBytesMax) {
    return At(source, StrCat("values of ${...} exceed ", kExpandedBytesMax, " bytes together"));
  }
  if (depth <= kExpansionDepthMax) return absl::OkStatus();
  return At(source, StrCat("${...} nested deeper than ", kExpansionDepthMax, " levels: does a value refer to itself?"));
}

StatusOr<std::optional<std::string>> Expander::ResolveVariable(std::string_view reference, const Source& source) {
  const size_t dash = reference.find(":-");
  const std::string name(reference.substr(0, dash));
  if (!IsVariableName(name)) return At(source, InvalidVariableName(name));
  std::optional<std::string> value = sources_.environment(name);
  if (!value && dash != std::string_view::npos) return std::optional<std::string>(reference.substr(dash + 2));
  if (!value) warnings_.push_back(StrCat("environment variable ", name, " is not set (", source.ToString(), ")"));
  return value;
}

StatusOr<std::optional<std::string>> Expander::ResolveFile(std::string_view path, const Source& source) {
  if (!sources_.read_file) return At(source, "scheme \"file\" is not supported here");
  StatusOr<std::string> content = sources_.read_file(std::string(path));
  if (!content.ok()) return At(source, StrCat("${file:", path, "}: ", StdView(content.status().message())));
  return std::optional<std::string>(*std::move(content));
}

StatusOr<std::optional<std::string>> Expander::ResolveUrl(std::string_view url, const Source& source) {
  if (!sources_.fetch) return At(source, StrCat("URLs are not supported here: ", ShownUrl(url)));
  StatusOr<std::string> text = sources_.fetch(std::string(url));
  if (!text.ok()) return At(source, StdView(text.status().message()));
  return std::optional<std::string>(*std::move(text));
}

StatusOr<std::optional<std::string>> Expander::Resolve(std::string_view uri, const Source& source, int depth) {
  RETURN_IF_ERROR(CheckLimits(uri.size(), source, depth));
  ASSIGN_OR_RETURN(const std::string inner, ExpandText(uri, source, depth + 1));
  const size_t colon = inner.find(':');
  const std::string_view whole = inner;
  const bool has_scheme = colon != std::string::npos && whole.substr(colon, 2) != ":-";
  if (!has_scheme) return ResolveVariable(whole, source);
  const std::string_view scheme = whole.substr(0, colon);
  if (scheme == "env") return ResolveVariable(whole.substr(colon + 1), source);
  if (scheme == "file") return ResolveFile(whole.substr(colon + 1), source);
  if (scheme == "yaml") return std::optional<std::string>(whole.substr(colon + 1));
  if (scheme == "http" || scheme == "https") return ResolveUrl(whole, source);
  return At(source, StrCat("scheme \"", scheme, "\" is not supported for uri \"", whole,
                           "\" (valid: env, file, http, https, yaml)"));
}

StatusOr<std::string> Expander::ExpandText(std::string_view text, const Source& source, int depth) {
  std::string out;
  while (!text.empty()) {
    const size_t dollar = text.find('$');
    out += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    const size_t close = text.starts_with("${") ? FindClose(text, 0) : std::string_view::npos;
    if (close == std::string_view::npos) {
      out += '$';
      text.remove_prefix(text.starts_with("$$") ? 2 : 1);
      continue;
    }
    ASSIGN_OR_RETURN(const std::optional<std::string> value, Resolve(text.substr(2, close - 2), source, depth));
    ASSIGN_OR_RETURN(const std::string expanded, ExpandText(value.value_or(""), source, depth + 1));
    RETURN_IF_ERROR(CheckLimits(expanded.size(), source, depth));
    out += expanded;
    text.remove_prefix(close + 1);
  }
  return out;
}

StatusOr<Node> Expander::ExpandWhole(const Node& node, std::string_view uri, int depth) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, Resolve(uri, node.source(), depth));
  if (!value) return Node::Null(node.source());
  RETURN_IF_ERROR(CheckLimits(value->size(), node.source(), depth));
  StatusOr<Node> parsed = ParseYaml(*value, node.source().file);
  // What is not YAML is a string, as a password full of punctuation is.
  if (!parsed.ok()) return Node::Scalar(*value, Node::Style::kQuoted, node.source());
  ASSIGN_OR_RETURN(const Node expanded, ExpandNode(parsed->WithSource(node.source()), depth + 1));
  if (expanded.is_null() && value->empty()) return expanded;
  ASSIGN_OR_RETURN(std::string text, ExpandText(*value, node.source(), depth + 1));
  return expanded.WithExpandedText(std::move(text));
}

StatusOr<Node> Expander::ExpandScalar(const Node& node, int depth) {
  const std::string_view text = node.text();
  if (text.find('$') == std::string_view::npos) return node;
  if (text.starts_with("${") && FindClose(text, 0) == text.size() - 1) {
    return ExpandWhole(node, text.substr(2, text.size() - 3), depth);
  }
  ASSIGN_OR_RETURN(std::string expanded, ExpandText(text, node.source(), depth));
  return Node::Scalar(std::move(expanded), Node::Style::kQuoted, node.source());
}

StatusOr<Node> Expander::ExpandNode(const Node& node, int depth) {
  return WithScalars(node, [&](const Node& scalar) { return ExpandScalar(scalar, depth); });
}

Node Expander::ExpandRoot(const Node& root, Problems& problems) {
  return *WithScalars(root, [&](const Node& scalar) -> StatusOr<Node> {
    // What is too much is too much for every value behind it.
    if (expanded_bytes_ > kExpandedBytesMax) return scalar;
    StatusOr<Node> expanded = ExpandScalar(scalar, 0);
    if (expanded.ok()) return expanded;
    problems.Add(expanded.status());
    return scalar;
  });
}

}  // namespace

bool IsVariableName(std::string_view name) {
  const auto is_word = [](char c) { return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c)); };
  return !name.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(name[0])) && absl::c_all_of(name, is_word);
}

std::string InvalidVariableName(std::string_view name) {
  return StrCat("environment variable \"", name, "\" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$");
}

StatusOr<Expansion> Expand(const Node& node, const ExpansionSources& sources) {
  Expander expander(sources);
  Problems problems;
  Node expanded = expander.ExpandRoot(node, problems);
  RETURN_IF_ERROR(problems.ToStatus());
  return Expansion{std::move(expanded), expander.TakeWarnings()};
}

}  // namespace spanloom::config
