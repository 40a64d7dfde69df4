// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/engine_metrics.h"

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

const std::vector<double>& FirstTokenBounds() {
  static const std::vector<double> bounds = {0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25,  0.5,   0.75,
                                             1.0,   2.5,   5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0};
  return bounds;
}

const std::vector<double>& InterTokenBounds() {
  static const std::vector<double> bounds = {0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,  0.3,  0.4, 0.5,
                                             0.75, 1.0,   2.5,  5.0,   7.5, 10.0, 20.0, 40.0, 80.0};
  return bounds;
}

const std::vector<double>& RequestBounds() {
  static const std::vector<double> bounds = {0.3,  0.5,  0.8,  1.0,  1.5,   2.0,   2.5,   5.0,   10.0,   15.0,  20.0,
                                             30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0};
  return bounds;
}

const std::vector<double>& TransferBounds() {
  static const std::vector<double> bounds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2,
                                             0.3,   0.4,  0.5,   0.75, 1.0,   2.0, 5.0};
  return bounds;
}

// 1, 2, 5, 10, 20, 50, ... up to a million.
const std::vector<double>& CountBounds() {
  static const std::vector<double> bounds = {1,      2,       5,       10,      20,       50,     100,
                                             200,    500,     1'000,   2'000,   5'000,    10'000, 20'000,
                                             50'000, 100'000, 200'000, 500'000, 1'000'000};
  return bounds;
}

MetricLabels With(MetricLabels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

double Read(const std::atomic<size_t>& value) {
  return static_cast<double>(value.load(std::memory_order_relaxed));
}

}  // namespace

EngineMetrics::EngineMetrics(MetricRegistry& r, const EngineFacts& facts)
    : EngineMetrics(r, facts, MetricLabels{{"model_name", facts.model_name}, {"engine", "0"}}) {}

EngineMetrics::EngineMetrics(MetricRegistry& r, const EngineFacts& facts, const MetricLabels& labels)
    : prompt_tokens(r.GetCounter("vllm:prompt_tokens_total", "Number of prefill tokens processed.", labels)),
      prompt_tokens_cached(r.GetCounter("vllm:prompt_tokens_cached_total", "Number of cached prompt tokens.", labels)),
      prompt_tokens_computed(r.GetCounter("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.",
                                          With(labels, "source", "local_compute"))),
      prompt_tokens_found(r.GetCounter("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.",
                                       With(labels, "source", "local_cache_hit"))),
      prompt_tokens_transferred(r.GetCounter("vllm:prompt_tokens_by_source_total", "Number of prompt tokens by source.",
                                             With(labels, "source", "external_kv_transfer"))),
      generation_tokens(r.GetCounter("vllm:generation_tokens_total", "Number of generation tokens processed.", labels)),
      preemptions(
          r.GetCounter("vllm:num_preemptions_total", "Cumulative number of preemptions from the engine.", labels)),
      prefix_cache_queries(r.GetCounter("vllm:prefix_cache_queries_total", "Prefix cache queries, in tokens.", labels)),
      prefix_cache_hits(r.GetCounter("vllm:prefix_cache_hits_total", "Prefix cache hits, in tokens.", labels)),
      external_prefix_cache_queries(r.GetCounter("vllm:external_prefix_cache_queries_total",
                                                 "Queries of other engines' caches, in tokens.", labels)),
      external_prefix_cache_hits(
          r.GetCounter("vllm:external_prefix_cache_hits_total", "Hits in other engines' caches, in tokens.", labels)),
      expired_leases(r.GetCounter("vllm:nixl_num_kv_expired_reqs_total",
                                  "Requests whose blocks were kept for another engine in vain.", labels)),
      failed_transfers(
          r.GetCounter("vllm:nixl_num_failed_transfers_total", "Transfers of blocks that failed.", labels)),
      time_to_first_token(r.GetHistogram("vllm:time_to_first_token_seconds", "Time to first token in seconds.",
                                         FirstTokenBounds(), labels)),
      inter_token_latency(r.GetHistogram("vllm:inter_token_latency_seconds", "Time between tokens in seconds.",
                                         InterTokenBounds(), labels)),
      time_per_output_token(r.GetHistogram("vllm:request_time_per_output_token_seconds",
                                           "Mean time per output token of a request in seconds.", InterTokenBounds(),
                                           labels)),
      e2e_latency(r.GetHistogram("vllm:e2e_request_latency_seconds", "End to end request latency in seconds.",
                                 RequestBounds(), labels)),
      queue_time(r.GetHistogram("vllm:request_queue_time_seconds", "Time a request waited in seconds.", RequestBounds(),
                                labels)),
      inference_time(r.GetHistogram("vllm:request_inference_time_seconds", "Time a request ran in seconds.",
                                    RequestBounds(), labels)),
      prefill_time(r.GetHistogram("vllm:request_prefill_time_seconds", "Time of a request's prefill in seconds.",
                                  RequestBounds(), labels)),
      decode_time(r.GetHistogram("vllm:request_decode_time_seconds", "Time of a request's decode in seconds.",
                                 RequestBounds(), labels)),
      transfer_time(r.GetHistogram("vllm:nixl_xfer_time_seconds", "Time of a transfer of blocks in seconds.",
                                   TransferBounds(), labels)),
      request_prompt_tokens(
          r.GetHistogram("vllm:request_prompt_tokens", "Prompt tokens of a request.", CountBounds(), labels)),
      request_generation_tokens(
          r.GetHistogram("vllm:request_generation_tokens", "Generated tokens of a request.", CountBounds(), labels)),
      request_max_tokens(r.GetHistogram("vllm:request_params_max_tokens", "The parameter max_tokens of a request.",
                                        CountBounds(), labels)),
      request_n(r.GetHistogram("vllm:request_params_n", "The parameter n of a request.", {1, 2, 5, 10, 20}, labels)),
      iteration_tokens(r.GetHistogram("vllm:iteration_tokens_total", "Tokens of an engine step.",
                                      {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}, labels)),
      ended_stop_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                               With(labels, "finished_reason", "stop"))),
      ended_length_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                 With(labels, "finished_reason", "length"))),
      ended_abort_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                With(labels, "finished_reason", "abort"))),
      ended_error_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                With(labels, "finished_reason", "error"))) {
  ShowGauges(r, facts, labels);
}

void EngineMetrics::ShowGauges(MetricRegistry& r, const EngineFacts& facts, const MetricLabels& labels) {
  const auto show = [&](std::string_view name, std::string_view help, const MetricLabels& of,
                        std::function<double()> read) {
    shown_.push_back(r.AddGauge(name, help, of, std::move(read)));
  };
  show("vllm:num_requests_running", "Number of requests in model execution batches.", labels,
       [this] { return Read(gauges.running); });
  show("vllm:num_requests_waiting", "Number of requests waiting to be processed.", labels,
       [this] { return Read(gauges.waiting_capacity) + Read(gauges.waiting_deferred); });
  constexpr std::string_view kByReason = "vllm:num_requests_waiting_by_reason";
  show(kByReason, "Number of requests waiting, by reason.", With(labels, "reason", "capacity"),
       [this] { return Read(gauges.waiting_capacity); });
  show(kByReason, "Number of requests waiting, by reason.", With(labels, "reason", "deferred"),
       [this] { return Read(gauges.waiting_deferred); });
  show("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", labels,
       [this] { return gauges.cache_usage.load(std::memory_order_relaxed); });
  const MetricLabels config = {{"block_size", StrCat(facts.block_tokens)},
                               {"num_gpu_blocks", StrCat(facts.blocks)},
                               {"enable_prefix_caching", facts.finds_blocks ? "True" : "False"},
                               {"engine", "0"}};
  show("vllm:cache_config_info", "Information of the LLMEngine CacheConfig", config, [] { return 1.0; });
}

void EngineMetrics::CountEnd(std::string_view reason) {
  if (reason == "stop") return ended_stop_.Add(1);
  if (reason == "length") return ended_length_.Add(1);
  (reason == "abort" ? ended_abort_ : ended_error_).Add(1);
}

}  // namespace spanloom::llmd::simulator
