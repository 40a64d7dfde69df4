// SPDX-License-Identifier: Apache-2.0
//
// The basicauth extension: user and password (RFC 7617), asked of those who send to a receiver, or shown by an
// exporter.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Who may send; the passwords are hashes (password_hash.h). Of a user in both, that of `inline_text` counts.
struct HtpasswdOptions {
  std::string file = {};
  std::string inline_text = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// What is shown. A file is preferred to the text, and read again when it changes.
struct BasicClientOptions {
  std::string username = {};
  std::string username_file = {};
  std::string password = {};
  std::string password_file = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// One of the two.
struct BasicAuthOptions {
  std::optional<HtpasswdOptions> htpasswd = {};
  std::optional<BasicClientOptions> client_auth = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class BasicAuthExtension final : public Extension {
 public:
  BasicAuthExtension(const ComponentId& id, BasicAuthOptions options, const BuildContext& context);
  ~BasicAuthExtension() override;

  // Reads the files. Until then nobody is let in, and nothing shown.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;

  [[nodiscard]] std::shared_ptr<ServerAuthenticator> server_authenticator() const override;
  [[nodiscard]] std::shared_ptr<ClientAuthenticator> client_authenticator() const override;

 private:
  class Server;
  class Client;
  const BasicAuthOptions options_;
  std::shared_ptr<Server> server_;  // null without htpasswd; shared with receivers
  std::shared_ptr<Client> client_;  // null without client_auth; shared with exporters
};

// Extension type "basicauth".
void RegisterBasicAuthExtension(Registry& registry);

}  // namespace spanloom::pipeline
