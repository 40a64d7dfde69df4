// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extension_references.h"

#include <absl/algorithm/container.h>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

void Collect(const config::Node& node, const std::string& path, std::vector<ExtensionReference>& references) {
  for (const config::Node::Entry& entry : node.entries()) {
    const std::string below = path.empty() ? entry.key : StrCat(path, "::", entry.key);
    const bool is_reference = entry.key == "additional_auth" || below.ends_with("auth::authenticator") ||
                              below.ends_with("sending_queue::storage");
    if (is_reference && entry.value.is_scalar()) {
      references.push_back({.path = below, .name = entry.value.text(), .source = entry.value.source()});
    } else if (entry.value.is_map()) {
      Collect(entry.value, below, references);
    }
  }
}

std::string Running(const std::vector<ComponentId>& extensions) {
  std::string text;
  for (const ComponentId& id : extensions) StrAppend(text, text.empty() ? "" : ", ", id.ToString());
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<ExtensionReference> ExtensionReferencesOf(const config::Node& options) {
  std::vector<ExtensionReference> references;
  if (options.is_map()) Collect(options, "", references);
  return references;
}

void CheckExtensionReferences(const ServiceConfig& config, config::Problems& problems) {
  const auto runs = [&](const std::string& name) {
    return absl::c_any_of(config.enabled_extensions, [&](const ComponentId& id) { return id.ToString() == name; });
  };
  const auto check = [&](std::string_view section, const ComponentNodes& nodes) {
    for (const auto& [id, node] : nodes) {
      for (const ExtensionReference& reference : ExtensionReferencesOf(node)) {
        if (runs(reference.name)) continue;
        problems.Add(StrCat(section, "::", id.ToString(), "::", reference.path),
                     StrCat("\"", reference.name, "\" is not listed in service::extensions (those are: ",
                            Running(config.enabled_extensions), ")"),
                     reference.source);
      }
    }
  };
  check("receivers", config.receivers);
  check("exporters", config.exporters);
  check("extensions", config.extensions);
}

}  // namespace spanloom::pipeline
