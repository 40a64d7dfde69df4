// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/engine_metrics.h"

#include "base/text.h"
#include "llmd/simulator/metric_bounds.h"
#include "llmd/wire/python_text.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr std::string_view kRejections = "vllm:admission_rejections_total";
constexpr std::string_view kRejectionsHelp = "Requests that were refused for want of room, by reason.";
constexpr std::string_view kCachedBySource = "vllm:prompt_tokens_cached_by_source_total";
constexpr std::string_view kCachedBySourceHelp = "Number of cached prompt tokens, by where they were.";

const std::vector<double>& TransferBounds() {
  static const std::vector<double> bounds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 5.0};
  return bounds;
}

std::vector<double> PostBounds() {
  std::vector<double> bounds = TransferBounds();
  bounds.insert(bounds.begin(), 0.001);
  return bounds;
}

const std::vector<double>& TransferByteBounds() {
  static const std::vector<double> bounds = {2048,    8192,     32768,     131072,    524288,       2097152,
                                             8388608, 33554432, 134217728, 536870912, 2147483648.0, 8589934592.0};
  return bounds;
}

const std::vector<double>& DescriptorBounds() {
  static const std::vector<double> bounds = {10,  20,    30,    50,    75,     100,    200,
                                             400, 1'000, 2'000, 4'000, 10'000, 20'000, 50'000};
  return bounds;
}

MetricLabels With(MetricLabels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

double Read(const std::atomic<size_t>& value) {
  return static_cast<double>(value.load(std::memory_order_relaxed));
}

// vLLM's configuration of its cache: what there is here, and the defaults of what there is not.
MetricLabels CacheConfig(const EngineFacts& facts) {
  const size_t tokens = facts.blocks * facts.block_tokens;
  const double requests = static_cast<double>(tokens) / static_cast<double>(facts.model_tokens_max);
  MetricLabels labels = {{"block_size", StrCat(facts.block_tokens)},
                         {"cache_dtype", facts.cache_dtype},
                         {"effective_attention_block_size", StrCat(facts.block_tokens)},
                         {"enable_prefix_caching", facts.finds_blocks ? "True" : "False"},
                         {"engine", StrCat(facts.rank)},
                         {"kv_cache_max_concurrency", wire::PythonFloat(requests)},
                         {"kv_cache_memory_bytes", StrCat(tokens * kTokenBytes)},
                         {"kv_cache_size_tokens", StrCat(tokens)},
                         {"num_gpu_blocks", StrCat(facts.blocks)},
                         {"prefix_caching_hash_algo", facts.hash_algorithm},
                         {"gpu_memory_utilization", "0.92"},
                         {"kv_cache_dtype_skip_layers", "[]"},
                         {"kv_offloading_backend", "native"},
                         {"mamba_cache_dtype", "auto"},
                         {"mamba_cache_mode", "none"},
                         {"mamba_ssm_cache_dtype", "float32"},
                         {"prefix_cache_retention_interval", "0"},
                         {"replayssm_buffer_len", "16"}};
  for (const char* const name : {"_block_size_resolved", "swa_bounded_replay", "user_specified_block_size"})
    labels.emplace_back(name, "True");
  for (const char* const name : {"enable_mamba_shared_prefix_checkpoint", "is_attention_free",
                                 "kv_sharing_fast_prefill", "use_kda_recoverssm", "use_replayssm"})
    labels.emplace_back(name, "False");
  for (const char* const name :
       {"cache_hit_alignment_tokens", "hash_block_size", "kv_cache_layout", "kv_offloading_size", "mamba_block_size",
        "mamba_page_size_padded", "num_cpu_blocks", "num_gpu_blocks_override", "prefix_match_unit",
        "skip_page_size_padded", "sliding_window"})
    labels.emplace_back(name, "None");
  return labels;
}

}  // namespace

EngineMetrics::EngineMetrics(MetricRegistry& r, const EngineFacts& facts)
    : EngineMetrics(r, facts, MetricLabels{{"model_name", facts.model_name}, {"engine", StrCat(facts.rank)}}) {}

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
      refused(r.GetCounter(kRejections, kRejectionsHelp,
                           MetricLabels{{"model_name", facts.model_name}, {"reason", "max_num_queued_reqs"}})),
      cached_on_device(r.GetCounter(kCachedBySource, kCachedBySourceHelp, With(labels, "source", "device"))),
      cached_at_peer(r.GetCounter(kCachedBySource, kCachedBySourceHelp, With(labels, "source", "p2p"))),
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
      transfer_post_time(r.GetHistogram("vllm:nixl_post_time_seconds", "Time to post a transfer of blocks in seconds.",
                                        PostBounds(), labels)),
      transfer_bytes(r.GetHistogram("vllm:nixl_bytes_transferred", "Bytes of a transfer of blocks.",
                                    TransferByteBounds(), labels)),
      transfer_descriptors(r.GetHistogram("vllm:nixl_num_descriptors", "Descriptors of a transfer of blocks.",
                                          DescriptorBounds(), labels)),
      request_prompt_tokens(r.GetHistogram("vllm:request_prompt_tokens", "Prompt tokens of a request.",
                                           TokenCountBounds(facts.model_tokens_max), labels)),
      request_generation_tokens(r.GetHistogram("vllm:request_generation_tokens", "Generated tokens of a request.",
                                               TokenCountBounds(facts.model_tokens_max), labels)),
      request_computed_tokens(r.GetHistogram("vllm:request_prefill_kv_computed_tokens",
                                             "Prompt tokens of a request that no cache had.",
                                             TokenCountBounds(facts.model_tokens_max), labels)),
      request_max_generation_tokens(r.GetHistogram("vllm:request_max_num_generation_tokens",
                                                   "Generated tokens of the longest choice of a request.",
                                                   TokenCountBounds(facts.model_tokens_max), labels)),
      request_max_tokens(r.GetHistogram("vllm:request_params_max_tokens", "The parameter max_tokens of a request.",
                                        TokenCountBounds(facts.model_tokens_max), labels)),
      request_n(r.GetHistogram("vllm:request_params_n", "The parameter n of a request.", {1, 2, 5, 10, 20}, labels)),
      request_preemptions(r.GetHistogram("vllm:request_num_preemptions", "How often a request was preempted.",
                                         {1, 2, 3, 4, 5, 10, 20}, labels)),
      iteration_tokens(r.GetHistogram("vllm:iteration_tokens_total", "Tokens of an engine step.",
                                      {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384}, labels)),
      registry_(r),
      clock_(*facts.clock),
      loras_max_(StrCat(facts.loras_max)),
      ended_stop_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                               With(labels, "finished_reason", "stop"))),
      ended_length_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                 With(labels, "finished_reason", "length"))),
      ended_abort_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                With(labels, "finished_reason", "abort"))),
      ended_error_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                With(labels, "finished_reason", "error"))),
      ended_threshold_(r.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                                    With(labels, "finished_reason", "cache_threshold"))) {
  ShowZeros(labels);
  r.GetCounter(kRejections, kRejectionsHelp, {{"model_name", facts.model_name}, {"reason", "max_num_queued_tokens"}});
  ShowGauges(facts, labels);
  ShowSleep(labels);
  ShowAdapters("", "");
}

// Nothing here is multimodal, estimated or offloaded, and no notification is lost: vLLM shows them all the same.
void EngineMetrics::ShowZeros(const MetricLabels& labels) {
  registry_.GetCounter("vllm:mm_cache_queries_total", "Multi-modal cache queries, in items.", labels);
  registry_.GetCounter("vllm:mm_cache_hits_total", "Multi-modal cache hits, in items.", labels);
  registry_.GetCounter("vllm:nixl_num_failed_notifications_total", "Notifications of transfers that failed.", labels);
  registry_.GetCounter("vllm:nixl_num_notifications_after_expiry_total",
                       "Notifications of transfers of blocks that were kept no longer.", labels);
  registry_.GetCounter("vllm:estimated_flops_per_gpu_total", "Estimated floating point operations.", labels);
  registry_.GetCounter("vllm:estimated_read_bytes_per_gpu_total", "Estimated bytes read from memory.", labels);
  registry_.GetCounter("vllm:estimated_write_bytes_per_gpu_total", "Estimated bytes written to memory.", labels);
  for (const char* const source : {"host", "disk", "external_unspecified"})
    registry_.GetCounter(kCachedBySource, kCachedBySourceHelp, With(labels, "source", source));
  registry_.GetCounter("vllm:request_success_total", "Count of successfully processed requests.",
                       With(labels, "finished_reason", "repetition"));
}

void EngineMetrics::ShowGauges(const EngineFacts& facts, const MetricLabels& labels) {
  const auto show = [&](std::string_view name, std::string_view help, const MetricLabels& of,
                        std::function<double()> read) {
    shown_.push_back(registry_.AddGauge(name, help, of, std::move(read)));
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
  size_t stage = 0;
  for (const char* const name : {"waiting_to_start", "in_progress", "completed_waiting"}) {
    show("vllm:num_requests_kv_fetch_by_stage",
         "Requests whose blocks another engine has, by how far the fetch has come.", With(labels, "stage", name),
         [this, stage] { return Read(gauges.fetches[stage]); });
    ++stage;
  }
  show("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", labels,
       [this] { return gauges.cache_usage.load(std::memory_order_relaxed); });
  const MetricLabels config = CacheConfig(facts);
  show("vllm:cache_config_info", "Information of the LLMEngine CacheConfig", config, [] { return 1.0; });
}

void EngineMetrics::ShowSleep(const MetricLabels& labels) {
  int level = 0;
  for (const char* const state : {"awake", "weights_offloaded", "discard_all"}) {
    shown_.push_back(registry_.AddGauge(
        "vllm:engine_sleep_state", "1 for the state that the engine is in.", With(labels, "sleep_state", state),
        [this, level] { return gauges.sleep_level.load(std::memory_order_relaxed) == level ? 1.0 : 0.0; }));
    ++level;
  }
}

// Its value is when it was so: routers take the newest.
void EngineMetrics::ShowAdapters(const std::string& running, const std::string& waiting) {
  const MetricLabels labels = {
      {"max_lora", loras_max_}, {"waiting_lora_adapters", waiting}, {"running_lora_adapters", running}};
  adapters_ = registry_.AddGauge("vllm:lora_requests_info", "Running stats on lora requests.", labels,
                                 [this] { return static_cast<double>(clock_.UnixNs()) / 1e9; });
}

void EngineMetrics::CountEnd(std::string_view reason) {
  if (reason == "stop") return ended_stop_.Add(1);
  if (reason == "length") return ended_length_.Add(1);
  if (reason == "cache_threshold") return ended_threshold_.Add(1);
  (reason == "abort" ? ended_abort_ : ended_error_).Add(1);
}

}  // namespace spanloom::llmd::simulator
