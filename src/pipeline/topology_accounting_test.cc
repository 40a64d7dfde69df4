// SPDX-License-Identifier: Apache-2.0
//
// The equations of ARCHITECTURE.md ("Counters that add up") hold for any topology, whatever happens to it.

#include <absl/algorithm/container.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "base/text.h"
#include "pipeline/testing/fake_backend.h"
#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> kGroupers = {"batch", "groupbytrace"};
const std::string kSelector = "tail_sampling";

// One pipeline with what feeds it: either a receiver or a connector.
struct PipelineShape {
  std::string name;
  std::string from;
  std::vector<std::string> processors;
  std::vector<std::string> exporters;
  std::vector<std::string> connectors;
};

// What a routing connector does with two pipelines that begin with it (the second may be the first): the first gets
// spans of some names, or copies of them; the second others, or all that are left.
enum class RoutingShape : uint8_t { kMoves, kMovesAll, kCopies };

// What one configuration joins. Pipelines and connectors have names that no other topology has, so that their counters
// are its own; receivers and exporters are those of all.
struct Topology {
  std::vector<PipelineShape> pipelines;
  std::map<std::string, RoutingShape> routings;  // by connector

  // Whether its OK means stored: not if a processor answers for what it decides about later.
  [[nodiscard]] bool Stores(const PipelineShape& pipeline) const {
    return EndsInStore(pipeline) && !absl::c_linear_search(pipeline.processors, kSelector);
  }
  [[nodiscard]] bool EndsInStore(const PipelineShape& pipeline) const {
    const auto stores = [](const std::string& exporter) { return exporter.starts_with("spanloom_store"); };
    return absl::c_any_of(pipeline.exporters, stores) ||
           absl::c_any_of(pipeline.connectors,
                          [this](const std::string& connector) { return ConnectorStores(connector); });
  }
  [[nodiscard]] bool ConnectorStores(const std::string& connector) const {
    return absl::c_any_of(pipelines, [&](const PipelineShape& fed) { return fed.from == connector && Stores(fed); });
  }
};

const std::vector<std::string> kReceivers = {"otlp", "otlp/b"};
const std::vector<std::string> kExporters = {"spanloom_store",   "spanloom_store/b", "debug",
                                             "otlp_grpc/queued", "otlp_grpc/waits",  "otlp_grpc/plain"};

template <typename T>
std::vector<T> SomeOf(const std::vector<T>& all, size_t count_min, Rng& rng) {
  std::vector<T> some;
  do {
    some.clear();
    for (const T& each : all) {
      if (rng.Below(3) == 0) some.push_back(each);
    }
  } while (some.size() < count_min);
  return some;
}

// Each receiver feeds one or two pipelines; some end in connectors, each of which feeds one or two more, or chooses
// between them.
Topology RandomTopology(size_t generation, Rng& rng, Rng& routing_rng) {
  Topology topology;
  size_t names = 0;
  const auto add = [&](const std::string& from, bool may_connect) {
    PipelineShape pipeline{StrCat("traces/g", generation, "-", names++), from, {}, {}, {}};
    pipeline.processors = SomeOf<std::string>({"filter/a", "batch", "groupbytrace", "filter/b"}, 0, rng);
    if (rng.Below(2) == 0) absl::c_reverse(pipeline.processors);
    if (rng.Below(4) == 0) {
      pipeline.processors.insert(rng.Below(2) == 0 ? pipeline.processors.begin() : pipeline.processors.end(),
                                 kSelector);
    }
    if (may_connect && rng.Below(2) == 0) {
      const bool routes = routing_rng.Below(2) == 0;
      pipeline.connectors.push_back(StrCat(routes ? "routing/" : "forward/", pipeline.name.substr(7)));
      if (routes) topology.routings[pipeline.connectors[0]] = static_cast<RoutingShape>(routing_rng.Below(3));
    }
    pipeline.exporters = SomeOf(kExporters, pipeline.connectors.empty() ? 1 : 0, rng);
    topology.pipelines.push_back(pipeline);
    return pipeline.connectors;
  };
  for (const std::string& receiver : kReceivers) {
    for (uint64_t i = rng.Below(2) + 1; i > 0; --i) {
      for (const std::string& connector : add(receiver, true)) {
        for (uint64_t fed = rng.Below(2) + 1; fed > 0; --fed) add(connector, false);
      }
    }
  }
  return topology;
}

std::string ListOf(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) StrAppend(text, text.empty() ? "[" : ", ", item);
  return text.empty() ? "[]" : text + "]";
}

// The first pipeline that `from` feeds, or the last.
const PipelineShape& FedBy(const Topology& topology, const std::string& from, bool first) {
  const auto fed = [&](const PipelineShape& pipeline) { return pipeline.from == from; };
  return first ? *absl::c_find_if(topology.pipelines, fed)
               : *std::find_if(topology.pipelines.rbegin(), topology.pipelines.rend(), fed);
}

// The options of a connector.
std::string ConnectorYaml(const Topology& topology, const std::string& connector) {
  const auto routing = topology.routings.find(connector);
  if (routing == topology.routings.end()) return "";
  const std::string first = FedBy(topology, connector, true).name;
  const std::string last = FedBy(topology, connector, false).name;
  const auto route = [](const std::string& names, const std::string& to, const std::string& action = "move") {
    return StrCat("{context: span, condition: 'IsMatch(name, \"^", names, "$\")', action: ", action, ", pipelines: [",
                  to, "]}");
  };
  const std::string to_last = StrCat("default_pipelines: [", last, "], ");
  switch (routing->second) {
    case RoutingShape::kMoves:
      return StrCat(" {table: [", route("w[01]", first), ", ", route("w2", last), "]}");
    case RoutingShape::kMovesAll:
      return StrCat(" {", to_last, "table: [", route("w[01]", first), "]}");
    case RoutingShape::kCopies:
      return StrCat(" {", to_last, "table: [", route("w[01]", first, "copy"), "]}");
  }
  return "";
}

// The configuration of `topology`, with options drawn anew.
std::string YamlOf(const Topology& topology, const std::string& backend, Rng& rng) {
  std::string connectors;
  std::string pipelines;
  for (const PipelineShape& pipeline : topology.pipelines) {
    for (const std::string& connector : pipeline.connectors) {
      StrAppend(connectors, "  ", connector, ":", ConnectorYaml(topology, connector), "\n");
    }
    std::vector<std::string> ends = pipeline.exporters;
    ends.insert(ends.end(), pipeline.connectors.begin(), pipeline.connectors.end());
    StrAppend(pipelines, "    ", pipeline.name, ": {receivers: [", pipeline.from,
              "], processors: ", ListOf(pipeline.processors), ", exporters: ", ListOf(ends), "}\n");
  }
  const std::string client = StrCat("endpoint: '", backend, "', tls: {insecure: true}");
  return StrCat(
      "receivers:\n  otlp: {protocols: {grpc: {endpoint: '127.0.0.1:0'}}}\n"
      "  otlp/b: {protocols: {grpc: {endpoint: '127.0.0.1:0'}}}\n"
      "processors:\n  filter/a: {traces: {span: ['name == \"noise\"']}}\n"
      "  filter/b: {traces: {span: ['name == \"w",
      rng.Below(4),
      "\"']}}\n"
      "  batch: {timeout: ",
      rng.Below(3), "ms, send_batch_size: ", 8 + rng.Below(2),
      "}\n"
      "  groupbytrace: {wait_duration: 1ms}\n"
      "  tail_sampling: {decision_wait: 1ms, policies: [{name: p, type: span_count, span_count: {min_spans: ",
      2 + rng.Below(8),
      "}}]}\n"
      "exporters:\n  spanloom_store:\n  spanloom_store/b:\n  debug:\n  otlp_grpc/queued: {",
      client,
      ", retry_on_failure: {initial_interval: 1ms, max_interval: 1ms, max_elapsed_time: 5ms}, sending_queue: "
      "{num_consumers: 1, queue_size: ",
      2 + rng.Below(2), "}}\n  otlp_grpc/waits: {", client,
      ", retry_on_failure: {enabled: false}, sending_queue: {wait_for_result: true, sizer: items, queue_size: 50}}\n"
      "  otlp_grpc/plain: {",
      client,
      ", retry_on_failure: {enabled: false}, sending_queue: {enabled: false}}\n"
      "connectors:",
      connectors.empty() ? " {}\n" : "\n", connectors, "service:\n  pipelines:\n", pipelines);
}

class TopologyAccounting : public testing::TestWithParam<uint64_t>, protected PipelineFixture {
 protected:
  [[nodiscard]] std::vector<std::string> Addresses() const {
    std::vector<std::string> addresses;
    for (const Endpoint& endpoint : engine->endpoints()) addresses.push_back(endpoint.address);
    return addresses;
  }

  // Sends `requests` requests to receivers by chance; returns the spans of each receiver.
  std::vector<uint64_t> SendAtRandom(uint64_t seed, int requests) {
    Rng rng(seed);
    const std::vector<std::string> addresses = Addresses();
    std::vector<uint64_t> spans(addresses.size());
    for (int request = 0; request < requests; ++request) {
      std::vector<std::string> names;
      for (uint64_t span = rng.Below(9) + 1; span > 0; --span) {
        names.push_back(rng.Below(3) == 0 ? "noise" : StrCat("w", rng.Below(4)));
      }
      const size_t receiver = rng.Below(addresses.size());
      spans[receiver] += names.size();
      // A refusal is as good an answer as any here: it is counted.
      CallGrpc(loops.At(seed % 2), addresses[receiver], BatchOf(names).Encode()).status().IgnoreError();
    }
    return spans;
  }

  void ChangeMoods(Rng& rng) {
    switch (rng.Below(5)) {
      case 0:
        return backend.AnswerWith(WithRetryDelay(absl::UnavailableError("busy"), 1ms));
      case 1:
        return backend.AnswerWith(absl::InvalidArgumentError("bad"));
      case 2:
        return backend.AnswerWith(std::string("\x0a\x02\x08\x01", 4));  // rejects one span
      default:
        return backend.AnswerWith(std::string());
    }
  }

  // Of the counter, or of what is held.
  [[nodiscard]] int64_t Sum(std::string_view name, const MetricLabels& labels = {}) const {
    return static_cast<int64_t>(metrics.Sum(name, labels)) + static_cast<int64_t>(metrics.SumGauges(name, labels));
  }

  // Spans that pipeline `name` passed on towards a destination.
  [[nodiscard]] int64_t PassedOn(const Topology& topology, const PipelineShape& pipeline, bool to_store) const {
    const MetricLabels labels = {{"pipeline", pipeline.name}};
    int64_t spans = Sum("spanloom_pipeline_accepted_spans", labels) - Sum("spanloom_pipeline_filtered_spans", labels);
    // Holding processors stand in front of every destination; those that group, behind one that selects or without one,
    // only of those that do not store.
    const auto selector = absl::c_find(pipeline.processors, kSelector);
    const bool has_selector = selector != pipeline.processors.end();
    for (auto processor = pipeline.processors.begin(); processor != pipeline.processors.end(); ++processor) {
      const bool stands_aside = absl::c_linear_search(kGroupers, *processor) && topology.EndsInStore(pipeline) &&
                                to_store && (!has_selector || processor > selector);
      if (stands_aside) continue;
      const MetricLabels owner = {{"processor", *processor}, labels[0]};
      spans -= Sum("spanloom_pipeline_dropped_spans", owner) + Sum("spanloom_processor_held_spans", owner);
    }
    return spans;
  }

  // Spans that a receiver or connector passed on, as the pipeline behind it saw them.
  [[nodiscard]] int64_t TakenIn(const PipelineShape& pipeline) const {
    const MetricLabels labels = {{"pipeline", pipeline.name}};
    return Sum("spanloom_pipeline_accepted_spans", labels) + DroppedAt(labels) -
           Sum("spanloom_pipeline_repeated_spans", labels);
  }

  // Drops of a pipeline as a whole; those of its processors carry its name too.
  [[nodiscard]] int64_t DroppedAt(const MetricLabels& pipeline) const {
    int64_t spans = Sum("spanloom_pipeline_dropped_spans", pipeline);
    for (const char* processor : {"batch", "groupbytrace", "tail_sampling", "filter/a", "filter/b"}) {
      spans -= Sum("spanloom_pipeline_dropped_spans", {{"processor", processor}, pipeline[0]});
    }
    return spans;
  }

  void ExpectReceiversToAddUp(const std::vector<Topology>& topologies, const std::vector<uint64_t>& sent) const {
    for (size_t i = 0; i < kReceivers.size(); ++i) {
      const MetricLabels labels = {{"receiver", kReceivers[i]}};
      const int64_t accepted = Sum("otelcol_receiver_accepted_spans", labels);
      EXPECT_EQ(accepted + Sum("otelcol_receiver_refused_spans", labels) + Sum("otelcol_receiver_failed_spans", labels),
                static_cast<int64_t>(sent[i]));
      for (const bool first : {true, false}) {
        int64_t taken_in = 0;
        for (const Topology& topology : topologies) taken_in += TakenIn(FedBy(topology, kReceivers[i], first));
        EXPECT_EQ(taken_in, accepted) << kReceivers[i];
      }
    }
  }

  void ExpectConnectorsToAddUp(const Topology& topology) const {
    for (const PipelineShape& pipeline : topology.pipelines) {
      for (const std::string& connector : pipeline.connectors) {
        const MetricLabels labels = {{"connector", connector}};
        const int64_t passed_on = PassedOn(topology, pipeline, topology.ConnectorStores(connector)) +
                                  Sum("spanloom_pipeline_repeated_spans", labels) -
                                  Sum("spanloom_pipeline_dropped_spans", labels);
        ExpectTakenIn(topology, connector, passed_on);
      }
    }
  }

  // Of what a connector passed on, spans without a way left out: all of it by each pipeline; or each span by one, and
  // by another one as a copy.
  void ExpectTakenIn(const Topology& topology, const std::string& connector, int64_t passed_on) const {
    const PipelineShape& first = FedBy(topology, connector, true);
    const PipelineShape& last = FedBy(topology, connector, false);
    const auto routing = topology.routings.find(connector);
    const bool moves = routing != topology.routings.end() && routing->second != RoutingShape::kCopies;
    EXPECT_EQ(TakenIn(last) + (moves && first.name != last.name ? TakenIn(first) : 0), passed_on) << connector;
    if (routing == topology.routings.end()) {
      EXPECT_EQ(TakenIn(first), passed_on) << connector;
    } else if (!moves) {
      EXPECT_LE(TakenIn(first), passed_on) << connector;
    }
  }

  void ExpectExportersToAddUp(const std::vector<Topology>& topologies) const {
    for (const std::string& exporter : kExporters) {
      const MetricLabels labels = {{"exporter", exporter}};
      int64_t given = Sum("spanloom_pipeline_repeated_spans", labels);
      for (const Topology& topology : topologies) {
        for (const PipelineShape& pipeline : topology.pipelines) {
          if (!absl::c_linear_search(pipeline.exporters, exporter)) continue;
          given += PassedOn(topology, pipeline, exporter.starts_with("spanloom_store"));
        }
      }
      EXPECT_EQ(given, Sum("otelcol_exporter_sent_spans", labels) + Sum("spanloom_exporter_rejected_spans", labels) +
                           Sum("spanloom_pipeline_dropped_spans", labels) + Sum("spanloom_exporter_held_spans", labels))
          << exporter;
    }
  }

  FakeBackend backend{loops, metrics};
};

// Scenario: from a seed, topologies of receivers, filters, holding processors, connectors (some of which choose) and
// exporters; two clients send all the while; destinations accept, refuse for the moment or for good, fail at commit,
// take a part; every little while the configuration is exchanged; then a stop with next to no grace. Guarantees:
// received = delivered + refused + filtered
// + dropped by cause + queued, exactly, at each receiver, connector and exporter, by the metrics alone.
TEST_P(TopologyAccounting, AddsUpWhateverHappens) {
  Rng rng(GetParam());
  Rng store_rng(GetParam() + 1);
  Rng routing_rng(GetParam() + 2);
  store.AnswerBy(
      [&] { return store_rng.Below(5) == 0 ? absl::UnavailableError("write failed") : absl::OkStatus(); },
      [&] { return store_rng.Below(8) == 0 ? WithRetryDelay(absl::UnavailableError("full"), 1ms) : absl::OkStatus(); });
  std::vector<Topology> topologies = {RandomTopology(0, rng, routing_rng)};
  Build(YamlOf(topologies[0], backend.endpoint(), rng));
  ASSERT_TRUE(engine->Start().ok());
  ASSERT_EQ(Addresses().size(), kReceivers.size());

  std::vector<std::vector<uint64_t>> sent(2);
  std::vector<std::thread> clients;
  for (uint64_t client = 0; client < sent.size(); ++client) {
    clients.emplace_back([this, client, &sent] { sent[client] = SendAtRandom(GetParam() + client, 60); });
  }
  for (size_t generation = 1; generation < 8; ++generation) {
    for (int change = 0; change < 4; ++change) {
      ChangeMoods(rng);
      RunOn(loops.At(change % 2), [] {});
    }
    topologies.push_back(RandomTopology(generation, rng, routing_rng));
    const auto report = engine->Reload(Parse(YamlOf(topologies.back(), backend.endpoint(), rng)), 3s);
    ASSERT_TRUE(report.ok()) << report.status();
  }
  for (std::thread& client : clients) client.join();
  engine->Stop(1ms);

  // Else nothing would be proven.
  EXPECT_GT(Sum("spanloom_pipeline_filtered_spans"), 0);
  EXPECT_GT(Sum("otelcol_exporter_sent_spans"), 0);
  ExpectReceiversToAddUp(topologies, {sent[0][0] + sent[1][0], sent[0][1] + sent[1][1]});
  for (const Topology& topology : topologies) ExpectConnectorsToAddUp(topology);
  ExpectExportersToAddUp(topologies);
  if (HasFailure()) ADD_FAILURE() << "seed " << GetParam() << "\n" << metrics.Render();
}

INSTANTIATE_TEST_SUITE_P(Seeds, TopologyAccounting, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace spanloom::pipeline
