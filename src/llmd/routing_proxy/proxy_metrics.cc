// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/proxy_metrics.h"

#include <string>
#include <vector>

#include "base/text.h"

namespace spanloom::llmd::routing_proxy {
namespace {

// llm-d's: prefill takes milliseconds, a stream minutes.
const std::vector<double> kSeconds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300};

std::string Name(std::string_view name) {
  return StrCat("llm_d_disagg_sidecar_", name);
}

MetricLabels LabelsOf(Connector connector) {
  return {{"connector", std::string(NameOf(connector))}};
}

Counter& StageErrors(MetricRegistry& registry, Connector connector, const std::string& stage) {
  return registry.GetCounter(Name("request_errors"), "Legs that failed, by stage.",
                             {{"connector", std::string(NameOf(connector))}, {"stage", stage}});
}

}  // namespace

ProxyMetrics::ProxyMetrics(MetricRegistry& registry, Connector connector)
    : disaggregated(
          registry.GetCounter(Name("disagg_requests"), "Requests with a prefill leg.",
                              {{"connector", std::string(NameOf(connector))}, {"disagg_type", "prefill-decode"}})),
      prefill_errors(StageErrors(registry, connector, "prefill")),
      decode_errors(StageErrors(registry, connector, "decode")),
      retries(registry.GetCounter(Name("prefill_retries"), "Prefill legs that were tried again.")),
      fallbacks(registry.GetCounter(Name("fallbacks"), "Requests that decode did alone, since prefill failed.")),
      denied(
          registry.GetCounter(Name("denied_targets"), "Requests whose prefill target the allow-list does not have.")),
      clients_gone(registry.GetCounter(Name("clients_gone"), "Clients that left before their answer was complete.")),
      cut(registry.GetCounter(Name("cut_answers"), "Answers of the decode server that broke off.")),
      refused_bodies(registry.GetCounter(Name("refused_bodies"), "Requests refused for the size of their body.")),
      forwarded_bytes(registry.GetCounter(Name("forwarded_bytes"), "Bytes of answers that were passed on.")),
      prefill_seconds(registry.GetHistogram(Name("prefill_duration_seconds"), "Duration of prefill legs.", kSeconds,
                                            LabelsOf(connector))),
      decode_seconds(registry.GetHistogram(Name("decode_duration_seconds"), "Duration of decode legs.", kSeconds,
                                           LabelsOf(connector))),
      first_byte_seconds(registry.GetHistogram(Name("first_byte_seconds"),
                                               "From a request's arrival to the first byte of its answer's body.",
                                               kSeconds, LabelsOf(connector))) {
  const auto requests_of = [&](std::string_view api) {
    return &registry.GetCounter(Name("requests"), "Requests by API.", {{"api_type", std::string(api)}});
  };
  for (const Api api : {Api::kChat, Api::kCompletions, Api::kResponses, Api::kMessages, Api::kGenerate}) {
    requests[static_cast<size_t>(api)] = requests_of(NameOf(api));
  }
  requests.back() = requests_of("other");
  gauges_[0] = registry.AddGauge(Name("active_requests"), "Requests under way.", {},
                                 [this] { return static_cast<double>(active.load()); });
  gauges_[1] = registry.AddGauge(Name("held_body_bytes"), "Bytes of request bodies that are kept for two legs.", {},
                                 [this] { return static_cast<double>(held_bytes.load()); });
}

}  // namespace spanloom::llmd::routing_proxy
