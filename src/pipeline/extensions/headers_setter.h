// SPDX-License-Identifier: Apache-2.0
//
// The headers_setter extension: headers of an exporter's requests, from the configuration or from what the data came
// with, so that a backend sees whose they are.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

enum class HeaderAction { kInsert, kUpdate, kUpsert, kDelete };

struct HeaderOptions {
  std::string key = {};
  HeaderAction action = HeaderAction::kUpsert;
  std::string value = {};
  std::string from_context = {};
  std::string from_attribute = {};
  std::string default_value = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

struct HeadersSetterOptions {
  std::vector<HeaderOptions> headers = {};
  std::string additional_auth = {};  // the id of another extension, which does its part first
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class HeadersSetterExtension final : public Extension {
 public:
  HeadersSetterExtension(HeadersSetterOptions options, const BuildContext& context);
  ~HeadersSetterExtension() override;

  // kInvalidArgument if there is no extension as additional_auth.
  Status Start() override;
  void Stop(std::chrono::milliseconds /*grace*/) override {}

  [[nodiscard]] std::shared_ptr<ClientAuthenticator> client_authenticator() const override;

 private:
  class Setter;
  Status additional_;  // whether that was found
  std::shared_ptr<Setter> setter_;
};

// Extension type "headers_setter".
void RegisterHeadersSetterExtension(Registry& registry);

}  // namespace spanloom::pipeline
