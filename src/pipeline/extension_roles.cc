// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extension_roles.h"

#include <absl/strings/str_join.h>

#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

std::string Listed(const std::vector<std::string>& ids) {
  return ids.empty() ? "there is none" : absl::StrJoin(ids, ", ");
}

}  // namespace

void ExtensionRoles::Add(const std::string& id, const Extension& extension) {
  roles_[id] = {.server = extension.server_authenticator(),
                .client = extension.client_authenticator(),
                .storage = extension.queue_storage()};
}

const ExtensionRoles& ExtensionRoles::None() {
  static const ExtensionRoles none;
  return none;
}

StatusOr<ExtensionRoles::Roles> ExtensionRoles::Find(const std::string& id, const char* what) const {
  const auto found = roles_.find(id);
  if (found != roles_.end()) return found->second;
  std::vector<std::string> ids;
  for (const auto& [known, roles] : roles_) ids.push_back(known);
  return absl::InvalidArgumentError(
      StrCat(what, " \"", id, "\" is no extension that runs (those that do: ", Listed(ids), ")"));
}

Status ExtensionRoles::WrongKind(const std::string& id, const char* wanted, bool (*is_wanted)(const Roles&)) const {
  std::vector<std::string> ids;
  for (const auto& [known, roles] : roles_) {
    if (is_wanted(roles)) ids.push_back(known);
  }
  return absl::InvalidArgumentError(
      StrCat("extension \"", id, "\" is not a ", wanted, " (those that are: ", Listed(ids), ")"));
}

StatusOr<std::shared_ptr<ServerAuthenticator>> ExtensionRoles::Server(const std::string& id) const {
  ASSIGN_OR_RETURN(Roles roles, Find(id, "auth: authenticator"));
  if (roles.server != nullptr) return roles.server;
  return WrongKind(id, "server authenticator", [](const Roles& each) { return each.server != nullptr; });
}

StatusOr<std::shared_ptr<ClientAuthenticator>> ExtensionRoles::Client(const std::string& id) const {
  ASSIGN_OR_RETURN(Roles roles, Find(id, "auth: authenticator"));
  if (roles.client != nullptr) return roles.client;
  return WrongKind(id, "client authenticator", [](const Roles& each) { return each.client != nullptr; });
}

StatusOr<std::shared_ptr<const QueueStorage>> ExtensionRoles::Storage(const std::string& id) const {
  ASSIGN_OR_RETURN(Roles roles, Find(id, "sending_queue: storage"));
  if (roles.storage != nullptr) return roles.storage;
  return WrongKind(id, "storage", [](const Roles& each) { return each.storage != nullptr; });
}

}  // namespace spanloom::pipeline
