// SPDX-License-Identifier: Apache-2.0
//
// Under which keys a pod is found, and which key a resource asks for.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/editor.h"
#include "pipeline/processors/k8s_options.h"
#include "pipeline/processors/k8s_records.h"

namespace spanloom::pipeline {

// Immutable; thread-safe.
class K8sAssociations {
 public:
  explicit K8sAssociations(std::vector<K8sAssociationOptions> associations);

  // All keys of `pod`, in no order; none if nothing can be asked that leads to it.
  [[nodiscard]] std::vector<std::string> KeysOf(const K8sPodRecord& pod) const;

  struct Identifier {
    std::string key;
    std::string address;  // where the connection, or what stands for it, has a part in it; else ""
  };
  // By the first association whose sources all say something; nullopt if there is none. `peer_address`: "10.0.0.7", or
  // "" if it is not known.
  [[nodiscard]] std::optional<Identifier> IdentifierOf(const otlp::ResourceEditor& resource,
                                                       std::string_view peer_address) const;

 private:
  [[nodiscard]] std::optional<Identifier> IdentifierBy(size_t index, const otlp::ResourceEditor& resource,
                                                       std::string_view peer_address) const;

  std::vector<K8sAssociationOptions> associations_;
  bool is_default_;
};

// The attribute called `key` if it is a text, else "". Valid until the next edit.
[[nodiscard]] std::string_view TextAttribute(const otlp::ResourceEditor& resource, std::string_view key);

}  // namespace spanloom::pipeline
