// SPDX-License-Identifier: Apache-2.0
//
// What the engine tells Prometheus, under vLLM's names and with its buckets.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"

namespace spanloom::llmd::simulator {

// How far the fetch of a request's blocks has come.
enum class FetchStage : uint8_t { kWaiting, kInProgress, kCompleted, kNone };
inline constexpr size_t kFetchStages = 3;  // without kNone

// What the gauges show. Written by the engine, read by whoever renders the page.
struct EngineGauges {
  std::atomic<size_t> running = 0;
  std::atomic<size_t> waiting_capacity = 0;                    // for a slot or for blocks
  std::atomic<size_t> waiting_deferred = 0;                    // for a transfer
  std::array<std::atomic<size_t>, kFetchStages> fetches = {};  // of blocks of another engine, by FetchStage
  std::atomic<double> cache_usage = 0;                         // 0 to 1
  std::atomic<int> sleep_level = 0;  // 0: awake; 1: the weights are elsewhere; 2: nothing is kept
};

// A token in the cache, as Llama 3.1 8B has it: 32 layers, keys and values of 8 heads of 128 numbers of 2 bytes.
inline constexpr size_t kTokenBytes = 128 << 10;

struct EngineFacts {
  std::string model_name = {};  // the label model_name
  size_t blocks = 0;
  size_t block_tokens = 0;
  bool finds_blocks = false;
  size_t rank = 0;                       // of data parallelism: the label engine
  int64_t model_tokens_max = 1'000'000;  // the largest bound of counts of tokens
  size_t loras_max = 1;                  // the label max_lora
  std::string cache_dtype = "auto";
  std::string hash_algorithm = "sha256_cbor";  // the label prefix_caching_hash_algo
  const Clock* clock = &Clock::System();       // never null; outlives the metrics
};

// Thread-safe. The registry must outlive it. Handles are public: each is one metric, by its name.
class EngineMetrics {
 public:
  EngineMetrics(MetricRegistry& registry, const EngineFacts& facts);

  // A request that ended with `reason`: "stop", "length", "abort", "error", "cache_threshold".
  void CountEnd(std::string_view reason);

  // The adapters of those that run and of those that wait, with commas. For one thread at a time.
  void ShowAdapters(const std::string& running, const std::string& waiting);

  EngineGauges gauges;

  Counter& prompt_tokens;
  Counter& prompt_tokens_cached;
  Counter& prompt_tokens_computed;     // vllm:prompt_tokens_by_source, local_compute
  Counter& prompt_tokens_found;        // local_cache_hit
  Counter& prompt_tokens_transferred;  // external_kv_transfer
  Counter& generation_tokens;
  Counter& preemptions;
  Counter& prefix_cache_queries;  // tokens
  Counter& prefix_cache_hits;     // tokens
  Counter& external_prefix_cache_queries;
  Counter& external_prefix_cache_hits;
  Counter& expired_leases;    // vllm:nixl_num_kv_expired_reqs
  Counter& failed_transfers;  // vllm:nixl_num_failed_transfers
  Counter& refused;           // vllm:admission_rejections, max_num_queued_reqs
  Counter& cached_on_device;  // vllm:prompt_tokens_cached_by_source, device
  Counter& cached_at_peer;    // p2p

  Histogram& time_to_first_token;
  Histogram& inter_token_latency;
  Histogram& time_per_output_token;
  Histogram& e2e_latency;
  Histogram& queue_time;
  Histogram& inference_time;
  Histogram& prefill_time;
  Histogram& decode_time;
  Histogram& transfer_time;         // vllm:nixl_xfer_time_seconds
  Histogram& transfer_post_time;    // vllm:nixl_post_time_seconds
  Histogram& transfer_bytes;        // vllm:nixl_bytes_transferred
  Histogram& transfer_descriptors;  // vllm:nixl_num_descriptors
  Histogram& request_prompt_tokens;
  Histogram& request_generation_tokens;
  Histogram& request_computed_tokens;        // vllm:request_prefill_kv_computed_tokens
  Histogram& request_max_generation_tokens;  // of the longest of a request's choices
  Histogram& request_max_tokens;
  Histogram& request_n;
  Histogram& request_preemptions;
  Histogram& iteration_tokens;

 private:
  EngineMetrics(MetricRegistry& registry, const EngineFacts& facts, const MetricLabels& labels);
  void ShowGauges(const EngineFacts& facts, const MetricLabels& labels);
  void ShowSleep(const MetricLabels& labels);
  void ShowZeros(const MetricLabels& labels);

  MetricRegistry& registry_;
  const Clock& clock_;
  const std::string loras_max_;

  Counter& ended_stop_;
  Counter& ended_length_;
  Counter& ended_abort_;
  Counter& ended_error_;
  Counter& ended_threshold_;
  std::vector<ScopedGauge> shown_;
  ScopedGauge adapters_;
};

}  // namespace spanloom::llmd::simulator
