// SPDX-License-Identifier: Apache-2.0
//
// What the extensions that run do for other components, by their id: authenticators and storages.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "pipeline/client_authenticator.h"
#include "pipeline/component.h"
#include "pipeline/queue_storage.h"
#include "pipeline/server_authenticator.h"

namespace spanloom::pipeline {

// Filled while the parts of a configuration are made, and then asked by those that are made later. Thread-compatible.
class ExtensionRoles {
 public:
  void Add(const std::string& id, const Extension& extension);

  // kInvalidArgument names the extensions there are if none has that id, or if it is none of that kind.
  [[nodiscard]] StatusOr<std::shared_ptr<ServerAuthenticator>> Server(const std::string& id) const;
  [[nodiscard]] StatusOr<std::shared_ptr<ClientAuthenticator>> Client(const std::string& id) const;
  [[nodiscard]] StatusOr<std::shared_ptr<const QueueStorage>> Storage(const std::string& id) const;

  // None.
  static const ExtensionRoles& None();

 private:
  struct Roles {
    std::shared_ptr<ServerAuthenticator> server;  // null if it is none
    std::shared_ptr<ClientAuthenticator> client;
    std::shared_ptr<const QueueStorage> storage;
  };
  // `what` wants it: "auth: authenticator".
  [[nodiscard]] StatusOr<Roles> Find(const std::string& id, const char* what) const;
  // kInvalidArgument: `id` is no `wanted`; the ids that are.
  [[nodiscard]] Status WrongKind(const std::string& id, const char* wanted, bool (*is_wanted)(const Roles&)) const;

  std::map<std::string, Roles> roles_;
};

}  // namespace spanloom::pipeline
