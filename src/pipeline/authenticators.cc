// SPDX-License-Identifier: Apache-2.0

#include "pipeline/authenticators.h"

#include <absl/strings/str_join.h>

#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

std::string Listed(const std::vector<std::string>& ids) {
  return ids.empty() ? "there is none" : absl::StrJoin(ids, ", ");
}

}  // namespace

void Authenticators::Add(const std::string& id, const Extension& extension) {
  roles_[id] = {.server = extension.server_authenticator(), .client = extension.client_authenticator()};
}

const Authenticators& Authenticators::None() {
  static const Authenticators none;
  return none;
}

StatusOr<Authenticators::Roles> Authenticators::Find(const std::string& id) const {
  const auto found = roles_.find(id);
  if (found != roles_.end()) return found->second;
  std::vector<std::string> ids;
  for (const auto& [known, roles] : roles_) ids.push_back(known);
  return absl::InvalidArgumentError(
      StrCat("auth: authenticator \"", id, "\" is no extension that runs (those that do: ", Listed(ids), ")"));
}

Status Authenticators::WrongKind(const std::string& id, const char* wanted, bool (*is_wanted)(const Roles&)) const {
  std::vector<std::string> ids;
  for (const auto& [known, roles] : roles_) {
    if (is_wanted(roles)) ids.push_back(known);
  }
  return absl::InvalidArgumentError(
      StrCat("auth: extension \"", id, "\" is not a ", wanted, " authenticator (those that are: ", Listed(ids), ")"));
}

StatusOr<std::shared_ptr<ServerAuthenticator>> Authenticators::Server(const std::string& id) const {
  ASSIGN_OR_RETURN(Roles roles, Find(id));
  if (roles.server != nullptr) return roles.server;
  return WrongKind(id, "server", [](const Roles& each) { return each.server != nullptr; });
}

StatusOr<std::shared_ptr<ClientAuthenticator>> Authenticators::Client(const std::string& id) const {
  ASSIGN_OR_RETURN(Roles roles, Find(id));
  if (roles.client != nullptr) return roles.client;
  return WrongKind(id, "client", [](const Roles& each) { return each.client != nullptr; });
}

}  // namespace spanloom::pipeline
