// SPDX-License-Identifier: Apache-2.0
//
// The bearertokenauth extension: a token (RFC 6750), asked of those who send to a receiver, and shown by an exporter.

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct BearerTokenAuthOptions {
  std::string header = "Authorization";
  std::string scheme = "Bearer";
  std::string token = {};
  std::vector<std::string> tokens = {};
  std::string filename = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class BearerTokenAuthExtension final : public Extension {
 public:
  BearerTokenAuthExtension(const ComponentId& id, BearerTokenAuthOptions options);
  ~BearerTokenAuthExtension() override;

  // Reads the file, and follows it.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;

  [[nodiscard]] std::shared_ptr<ServerAuthenticator> server_authenticator() const override;
  [[nodiscard]] std::shared_ptr<ClientAuthenticator> client_authenticator() const override;

 private:
  class Tokens;
  std::shared_ptr<Tokens> tokens_;  // shared with receivers and exporters
};

// Extension type "bearertokenauth".
void RegisterBearerTokenAuthExtension(Registry& registry);

}  // namespace spanloom::pipeline
