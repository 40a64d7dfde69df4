// SPDX-License-Identifier: Apache-2.0
//
// All component types there are, by name. Filled by explicit calls (RegisterBatchProcessor(registry), ...) in app;
// nothing registers itself.

#pragma once

#include <absl/algorithm/container.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "config/options.h"
#include "net/loop.h"
#include "net/proxy.h"
#include "otlp/signal.h"
#include "pipeline/component.h"
#include "pipeline/component_id.h"
#include "pipeline/extension_roles.h"
#include "pipeline/pipeline_list.h"
#include "pipeline/status_board.h"
#include "sdk/tracer.h"

namespace spanloom::pipeline {

// What every component may use. The references outlive all components.
struct BuildContext {
  net::LoopPool& loops;
  MetricRegistry& metrics;
  const Clock& clock;
  std::string default_host = "localhost";                      // of listeners whose endpoint is not written out
  uint64_t seed = Rng::SystemSeed();                           // of jitter
  const sdk::Tracer& tracer = sdk::Tracer::None();             // of the spans about this process
  std::string instance_id = {};                                // service.instance.id of this process
  std::string pipeline = {};                                   // "traces/payloads", while its processors are made
  otlp::Signal signal = otlp::Signal::kTraces;                 // of the batches that a processor or exporter is given
  std::string destination = {};                                // "HOST:PORT" of an exporter's server, for its counters
  StatusReporter status = {};                                  // of the component that is made
  const net::ProxyRules& proxies = net::ProxyRules::None();    // by which exporters go out
  const ExtensionRoles* extensions = &ExtensionRoles::None();  // that run; while a component is made
  const StatusBoard* board = nullptr;                          // of all components; null in tests of one
  const PipelineList* pipelines = nullptr;                     // that run; null in tests of one
  std::string build = {};                                      // what the program is built of, a line each
};

// `endpoint` as it was written, or `default_host`:`port` if it was left out.
[[nodiscard]] std::string ListenEndpoint(const std::string& endpoint, const BuildContext& context, uint16_t port);

// Adds `endpoint` to what a component claims, unless its port is picked.
void AddClaim(std::string endpoint, std::vector<std::string>& claims);

// What the reference pages say of a type of component, beside its options.
struct ComponentDoc {
  std::string_view words;    // a paragraph
  std::string_view example;  // YAML that loads as it is, laid over the built-in configuration
};

// A component that is given the one passes on the other: the same, but for connectors that make something new.
struct SignalPair {
  otlp::Signal from = otlp::Signal::kTraces;
  otlp::Signal to = otlp::Signal::kTraces;
  friend bool operator==(const SignalPair&, const SignalPair&) = default;
};

// What a type of component may be given. Spans alone, unless it says that it needs to look into nothing.
struct Carries {
  std::vector<SignalPair> pairs = {SignalPair{}};

  [[nodiscard]] bool Takes(otlp::Signal signal) const {
    return absl::c_any_of(pairs, [&](const SignalPair& pair) { return pair.from == signal; });
  }
  [[nodiscard]] bool Gives(otlp::Signal signal) const {
    return absl::c_any_of(pairs, [&](const SignalPair& pair) { return pair.to == signal; });
  }
};

// Where the options of a component name a pipeline.
struct PipelineReference {
  std::string path;  // "table::0::pipelines"
  ComponentId pipeline;
};

// What carries spans, metrics and logs alike.
[[nodiscard]] Carries EverySignal();

// How one type of component is checked, described and made. `Wiring` is what a kind of component needs besides its
// options.
template <typename Made, typename... Wiring>
struct Factory {
  std::function<void(const config::Node& node, std::string_view path, config::Problems& problems)> check;
  std::function<std::vector<config::OptionDoc>()> describe;
  ComponentDoc doc;
  Carries carries;
  // The pipelines that the options name; null if they name none. What is wrong with `node` is passed over.
  std::function<std::vector<PipelineReference>(const config::Node& node)> pipelines;
  // `node` has passed `check`.
  std::function<std::unique_ptr<Made>(const ComponentId& id, const config::Node& node, const BuildContext& context,
                                      Wiring... wiring)>
      make;
};

// The types of one kind of component. Thread-compatible; const use is thread-safe.
template <typename Made, typename... Wiring>
class FactoryTable {
 public:
  // `make(ComponentId, Options, const BuildContext&, Wiring...)`, or the same without the wiring, returns a unique_ptr;
  // it opens nothing yet. Whatever can be wrong with the options is found by Options::Declare and Options::Validate.
  // `type` must be new.
  template <config::OptionsStruct Options, typename Make>
  void Add(std::string type, const ComponentDoc& doc, Make make, Carries carries = {}) {
    Factory<Made, Wiring...> factory;
    factory.doc = doc;
    factory.carries = std::move(carries);
    factory.check = [](const config::Node& node, std::string_view path, config::Problems& problems) {
      static_cast<void>(config::ReadOptions<Options>(node, path, problems));
    };
    factory.describe = [] { return config::DescribeOptions<Options>(); };
    if constexpr (requires(const Options& options) { options.PipelineReferences(); }) {
      factory.pipelines = [](const config::Node& node) {
        config::Problems problems;
        return config::ReadOptions<Options>(node, "", problems).PipelineReferences();
      };
    }
    factory.make = [make = std::move(make)](const ComponentId& id, const config::Node& node,
                                            const BuildContext& context, Wiring... wiring) {
      config::Problems problems;
      Options options = config::ReadOptions<Options>(node, "", problems);
      CHECK(problems.empty());
      if constexpr (std::is_invocable_v<const Make&, const ComponentId&, Options, const BuildContext&, Wiring...>) {
        return std::unique_ptr<Made>(make(id, std::move(options), context, wiring...));
      } else {
        return std::unique_ptr<Made>(make(id, std::move(options), context));
      }
    };
    CHECK(factories_.emplace(std::move(type), std::move(factory)).second);
  }

  // An old name of `type`; its use is warned of.
  void AddAlias(std::string alias, std::string type) {
    CHECK(factories_.contains(type));
    CHECK(aliases_.emplace(std::move(alias), std::move(type)).second);
  }

  // nullptr if there is no such type or alias.
  [[nodiscard]] const Factory<Made, Wiring...>* Find(std::string_view type) const {
    const auto factory = factories_.find(Canonical(type));
    return factory == factories_.end() ? nullptr : &factory->second;
  }

  // The type that `type` is an alias of, or `type` itself.
  [[nodiscard]] std::string_view Canonical(std::string_view type) const {
    const auto alias = aliases_.find(type);
    return alias == aliases_.end() ? type : std::string_view(alias->second);
  }

  // The old names of `type`, sorted.
  [[nodiscard]] std::vector<std::string> AliasesOf(std::string_view type) const {
    std::vector<std::string> aliases;
    for (const auto& [alias, canonical] : aliases_) {
      if (canonical == type) aliases.push_back(alias);
    }
    return aliases;
  }

  // Sorted; without aliases.
  [[nodiscard]] std::vector<std::string> types() const {
    std::vector<std::string> types;
    for (const auto& [type, factory] : factories_) types.push_back(type);
    return types;
  }

 private:
  std::map<std::string, Factory<Made, Wiring...>, std::less<>> factories_;
  std::map<std::string, std::string, std::less<>> aliases_;
};

// Receivers, passing connectors and holding processors are given the consumer that stands behind them; it outlives
// them. A connector that chooses has options with `std::vector<PipelineReference> PipelineReferences() const`.
struct Registry {
  FactoryTable<Receiver, Consumer&> receivers;
  FactoryTable<Processor, Consumer&> processors;
  FactoryTable<Connector, Consumer&> connectors;
  FactoryTable<Exporter> exporters;
  FactoryTable<Extension> extensions;
};

}  // namespace spanloom::pipeline
