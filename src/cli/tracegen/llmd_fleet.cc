// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/llmd_fleet.h"

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "cli/tracegen/span_writer.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace resource = semconv::resource;

constexpr size_t kPrefillPods = 2;
constexpr size_t kDecodePods = 3;
constexpr std::string_view kVllmSdkVersion = "1.45.2";  // of the recorded vLLM 0.32

constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";  // of the suffixes that Kubernetes makes

std::string RandomSuffix(Rng& rng, size_t length) {
  std::string suffix;
  for (size_t i = 0; i < length; ++i) suffix += kAlphabet[rng.Below(kAlphabet.size())];
  return suffix;
}

Pod MakePod(Rng& rng, std::string_view replica_set) {
  const uint64_t node = 1 + rng.Below(6);
  return {
      .name = StrCat(replica_set, "-", RandomSuffix(rng, 5)),
      .node = StrCat("gpu-node-", node),
      .address = StrCat("10.244.", node, ".", 2 + rng.Below(250)),
      .instance_id = UuidV4(rng),
      .process_id = StrCat(1 + rng.Below(400)),
      .card_address = 0x0200'0000'0000 | rng.Below(uint64_t{1} << 40),  // locally administered, as in a pod
      .uptime_s = 1e4 + 1e6 * rng.Unit(),
  };
}

std::vector<Pod> MakePods(Rng& rng, std::string_view deployment, size_t count) {
  const std::string replica_set = StrCat(deployment, "-", RandomSuffix(rng, 10));
  std::vector<Pod> pods;
  for (size_t i = 0; i < count; ++i) pods.push_back(MakePod(rng, replica_set));
  return pods;
}

void AddPods(Rng& rng, std::string_view short_name, Pool& pool) {
  pool.epp = MakePods(rng, StrCat("gaie-", short_name, "-epp"), 1).front();
  pool.prefill = MakePods(rng, StrCat("ms-", short_name, "-prefill"), kPrefillPods);
  pool.decode = MakePods(rng, StrCat("ms-", short_name, "-decode"), kDecodePods);
}

Emitter EppEmitter(const Pod& pod, const FleetEmitters::Release& release) {
  return {.resource_wire = EncodeResource({{resource::kNamespaceName, kClusterNamespace},
                                           {resource::kNodeName, pod.node},
                                           {resource::kPodName, pod.name},
                                           {resource::kServiceName, release.epp_service},
                                           {resource::kServiceVersion, ""}}),
          .schema_url = std::string(resource::kSchemaUrl),
          .scopes = release.epp_scopes};
}

Emitter VllmEmitter(const Pod& pod, std::string_view service) {
  return {.resource_wire = EncodeResource({{resource::kSdkLanguage, "python"},
                                           {resource::kSdkName, "opentelemetry"},
                                           {resource::kSdkVersion, kVllmSdkVersion},
                                           {resource::kServiceInstanceId, pod.instance_id},
                                           {resource::kNamespaceName, kClusterNamespace},
                                           {resource::kPodName, pod.name},
                                           {resource::kServiceName, service},
                                           {resource::kVllmModule, "vllm.llm_engine"},
                                           {resource::kVllmProcessId, pod.process_id}}),
          .schema_url = "",
          .scopes = {{EncodeScope(semconv::scope::kVllm, "")}}};
}

}  // namespace

Fleet MakeFleet(uint64_t seed) {
  Rng rng(seed);
  Fleet fleet = {
      {.model = "meta-llama/Llama-3.3-70B-Instruct",
       .prefill_step_ns = 28 * kMillisecond,
       .prefill_token_ns = 95 * kMicrosecond,
       .kv_token_ns = 28 * kMicrosecond,
       .decode_step_ns = 19 * kMillisecond},
      {.model = "Qwen/Qwen3-32B",
       .prefill_step_ns = 16 * kMillisecond,
       .prefill_token_ns = 44 * kMicrosecond,
       .kv_token_ns = 21 * kMicrosecond,
       .decode_step_ns = 11 * kMillisecond},
  };
  AddPods(rng, "llama-3-70b", fleet[0]);
  AddPods(rng, "qwen3-32b", fleet[1]);
  return fleet;
}

FleetEmitters::FleetEmitters(const Fleet& fleet, const Release& release) {
  for (const Pool& pool : fleet) {
    first_.push_back(static_cast<uint32_t>(emitters_.size()));
    decode_count_.push_back(pool.decode.size());
    emitters_.push_back(EppEmitter(pool.epp, release));
    emitters_.insert(emitters_.end(), pool.decode.size(), release.sidecar);
    for (const Pod& pod : pool.decode) emitters_.push_back(VllmEmitter(pod, "vllm-decode"));
    for (const Pod& pod : pool.prefill) emitters_.push_back(VllmEmitter(pod, "vllm-prefill"));
  }
}

}  // namespace spanloom::cli::tracegen
