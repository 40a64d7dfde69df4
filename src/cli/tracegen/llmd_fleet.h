// SPDX-License-Identifier: Apache-2.0
//
// The imagined llm-d cluster that the llmd shapes draw their spans from: inference pools with an EPP pod, prefill pods,
// and decode pods that each run a routing sidecar beside vLLM.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cli/tracegen/trace_shape.h"

namespace spanloom::cli::tracegen {

inline constexpr std::string_view kClusterNamespace = "llm-d";
inline constexpr int64_t kPrefillPort = 8000;
inline constexpr int64_t kGatewayPort = 8080;

struct Pod {
  std::string name;  // as Kubernetes makes them: deployment, replica set, random suffix
  std::string node;
  std::string address;        // IPv4
  std::string instance_id;    // vLLM's service.instance.id, a UUID
  std::string process_id;     // of vLLM, decimal
  uint64_t card_address = 0;  // of the pod's network card, 48 bits
  double uptime_s = 0;        // of vLLM's monotonic clock when the run starts
};

// One model and the pods that serve it. Speeds are guesses for a large GPU; the shape of their effects is what matters.
struct Pool {
  std::string model;
  Pod epp = {};
  std::vector<Pod> prefill = {};
  std::vector<Pod> decode = {};
  int64_t prefill_step_ns = 0;   // of one forward pass with a short prompt
  int64_t prefill_token_ns = 0;  // for each further prompt token that is not cached
  int64_t kv_token_ns = 0;       // to pull the KV cache of one prompt token
  int64_t decode_step_ns = 0;    // between two output tokens on an idle pod
};

using Fleet = std::vector<Pool>;

// The same seed gives the same fleet.
Fleet MakeFleet(uint64_t seed);

// Numbers the processes of a fleet: for each pool its EPP, then its sidecars, decode pods and prefill pods.
class FleetEmitters {
 public:
  // What differs from one release of llm-d to the next.
  struct Release {
    std::string_view epp_service;
    std::vector<Emitter::Scope> epp_scopes;
    Emitter sidecar;  // the same for all of them: a sidecar's resource does not name its pod
  };

  FleetEmitters(const Fleet& fleet, const Release& release);

  [[nodiscard]] std::vector<Emitter> emitters() const { return emitters_; }
  [[nodiscard]] uint32_t epp(size_t pool) const { return first_[pool]; }
  [[nodiscard]] uint32_t sidecar(size_t pool, size_t decode_pod) const { return Index(pool, 1 + decode_pod); }
  [[nodiscard]] uint32_t decode(size_t pool, size_t decode_pod) const {
    return Index(pool, 1 + decode_count_[pool] + decode_pod);
  }
  [[nodiscard]] uint32_t prefill(size_t pool, size_t prefill_pod) const {
    return Index(pool, 1 + 2 * decode_count_[pool] + prefill_pod);
  }

 private:
  [[nodiscard]] uint32_t Index(size_t pool, size_t offset) const {
    return first_[pool] + static_cast<uint32_t>(offset);
  }

  std::vector<Emitter> emitters_;
  std::vector<uint32_t> first_;       // [pools], emitter of the EPP
  std::vector<size_t> decode_count_;  // [pools]
};

}  // namespace spanloom::cli::tracegen
