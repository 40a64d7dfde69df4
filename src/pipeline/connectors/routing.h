// SPDX-License-Identifier: Apache-2.0
//
// The routing connector: sends spans to one pipeline or another, by their resource, by themselves, or by what their
// request came with. Its options and rules are the Collector's.

#pragma once

#include <string>
#include <vector>

#include "pipeline/connectors/routing_options.h"
#include "pipeline/connectors/routing_table.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

// Thread-safe; holds nothing.
class RoutingConnector final : public ChoosingConnector {
 public:
  RoutingConnector(const ComponentId& id, const RoutingOptions& options, const BuildContext& context);

  // Warns of routes that are left out.
  Status Start() override;
  [[nodiscard]] const std::vector<std::vector<ComponentId>>& ways() const override { return table_.ways(); }
  StatusOr<WayShares> Choose(const otlp::Batch& batch) override { return table_.Choose(batch); }

 private:
  const std::string id_;
  RoutingTable table_;
};

// Connector type "routing".
void RegisterRoutingConnector(Registry& registry);

}  // namespace spanloom::pipeline
