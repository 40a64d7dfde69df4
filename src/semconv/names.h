// SPDX-License-Identifier: Apache-2.0
//
// The names that Spanloom itself writes or reads in telemetry: attribute keys, span names and instrumentation scopes.
// Each group says where its names come from; a key says its type and, for a quantity, its unit. A name that only passes
// through is not here.

#pragma once

#include <string_view>

// Resource attributes: who sent the spans. OpenTelemetry semantic conventions 1.37, "Resource"; all strings.
namespace spanloom::semconv::resource {

inline constexpr std::string_view kServiceName = "service.name";
inline constexpr std::string_view kServiceVersion = "service.version";
inline constexpr std::string_view kServiceInstanceId = "service.instance.id";  // a UUID per process, not per pod
inline constexpr std::string_view kSdkLanguage = "telemetry.sdk.language";
inline constexpr std::string_view kSdkName = "telemetry.sdk.name";
inline constexpr std::string_view kSdkVersion = "telemetry.sdk.version";
inline constexpr std::string_view kNamespaceName = "k8s.namespace.name";
inline constexpr std::string_view kNodeName = "k8s.node.name";
inline constexpr std::string_view kPodName = "k8s.pod.name";
// vLLM's own (vllm/tracing/otel.py).
inline constexpr std::string_view kVllmModule = "vllm.instrumenting_module_name";
inline constexpr std::string_view kVllmProcessId = "vllm.process_id";  // decimal digits

inline constexpr std::string_view kSchemaUrl = "https://opentelemetry.io/schemas/1.37.0";

}  // namespace spanloom::semconv::resource

// Instrumentation scopes of the services that Spanloom imitates, with the attribute some of them carry.
namespace spanloom::semconv::scope {

inline constexpr std::string_view kOtelHttp = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp";
inline constexpr std::string_view kScheduler = "llm-d-inference-scheduler";           // v0.6: EPP and sidecar
inline constexpr std::string_view kGateway = "gateway-api-inference-extension";       // v0.6: EPP
inline constexpr std::string_view kKvCache = "llm-d-kv-cache";                        // v0.6: EPP
inline constexpr std::string_view kVllm = "vllm.tracing.otel";                        // vLLM 0.16 and later
inline constexpr std::string_view kRouterHandlers = "llm-d-router/pkg/epp/handlers";  // router of August 2026, as below
inline constexpr std::string_view kRouterRequestControl = "llm-d-router/pkg/epp/requestcontrol";
inline constexpr std::string_view kRouterScheduling = "llm-d-router/pkg/epp/scheduling";
inline constexpr std::string_view kRouterPlugins = "llm-d-router/pkg/epp/framework/plugins/scheduling";
inline constexpr std::string_view kRouterSidecar = "llm-d-router/pkg/sidecar/proxy";
inline constexpr std::string_view kCommitSha = "commit-sha";  // string; "" where the build has none

}  // namespace spanloom::semconv::scope

// HTTP, network and database attributes. OpenTelemetry semantic conventions 1.37, "HTTP spans", "Database client
// spans".
namespace spanloom::semconv::http {

inline constexpr std::string_view kRequestMethod = "http.request.method";         // string
inline constexpr std::string_view kRequestBodySize = "http.request.body.size";    // int, bytes
inline constexpr std::string_view kResponseBodySize = "http.response.body.size";  // int, bytes
inline constexpr std::string_view kStatusCode = "http.response.status_code";      // int
inline constexpr std::string_view kRoute = "http.route";                          // string
inline constexpr std::string_view kUrlScheme = "url.scheme";                      // string
inline constexpr std::string_view kUrlPath = "url.path";                          // string
inline constexpr std::string_view kUrlFull = "url.full";                          // string
inline constexpr std::string_view kServerAddress = "server.address";              // string
inline constexpr std::string_view kServerPort = "server.port";                    // int
inline constexpr std::string_view kClientAddress = "client.address";              // string
inline constexpr std::string_view kPeerAddress = "network.peer.address";          // string
inline constexpr std::string_view kPeerPort = "network.peer.port";                // int
inline constexpr std::string_view kProtocolVersion = "network.protocol.version";  // string
inline constexpr std::string_view kUserAgent = "user_agent.original";             // string
inline constexpr std::string_view kErrorType = "error.type";  // string: a status code or a type's name

}  // namespace spanloom::semconv::http

// Remote procedure calls. OpenTelemetry semantic conventions 1.37, "gRPC".
namespace spanloom::semconv::rpc {

inline constexpr std::string_view kSystem = "rpc.system";                    // string: "grpc"
inline constexpr std::string_view kService = "rpc.service";                  // string
inline constexpr std::string_view kMethod = "rpc.method";                    // string
inline constexpr std::string_view kGrpcStatusCode = "rpc.grpc.status_code";  // int

}  // namespace spanloom::semconv::rpc

namespace spanloom::semconv::db {

inline constexpr std::string_view kSystem = "db.system.name";           // string
inline constexpr std::string_view kNamespace = "db.namespace";          // string
inline constexpr std::string_view kCollection = "db.collection.name";   // string
inline constexpr std::string_view kOperation = "db.operation.name";     // string
inline constexpr std::string_view kQueryText = "db.query.text";         // string, without values
inline constexpr std::string_view kRows = "db.response.returned_rows";  // int

}  // namespace spanloom::semconv::db

// The event that records an exception. OpenTelemetry semantic conventions 1.37, "Exceptions".
namespace spanloom::semconv::exception {

inline constexpr std::string_view kEvent = "exception";
inline constexpr std::string_view kType = "exception.type";        // string
inline constexpr std::string_view kMessage = "exception.message";  // string

}  // namespace spanloom::semconv::exception

// gen_ai.*: vLLM's request span (vllm/tracing/utils.py) and EPP. Latencies are doubles in seconds.
namespace spanloom::semconv::gen_ai {

inline constexpr std::string_view kTimeToFirstToken = "gen_ai.latency.time_to_first_token";  // from arrival
inline constexpr std::string_view kEndToEnd = "gen_ai.latency.e2e";                          // from arrival
inline constexpr std::string_view kTimeInQueue = "gen_ai.latency.time_in_queue";  // on a decode pod: KV pull too
inline constexpr std::string_view kTimeInPrefill = "gen_ai.latency.time_in_model_prefill";  // scheduled to first token
inline constexpr std::string_view kTimeInDecode = "gen_ai.latency.time_in_model_decode";    // first to last token
inline constexpr std::string_view kTimeInInference =
    "gen_ai.latency.time_in_model_inference";                                            // scheduled to last token
inline constexpr std::string_view kPromptTokens = "gen_ai.usage.prompt_tokens";          // int
inline constexpr std::string_view kCompletionTokens = "gen_ai.usage.completion_tokens";  // int
inline constexpr std::string_view kRequestId = "gen_ai.request.id";                      // string
inline constexpr std::string_view kRequestModel = "gen_ai.request.model";                // string
inline constexpr std::string_view kTopP = "gen_ai.request.top_p";                        // double
inline constexpr std::string_view kMaxTokens = "gen_ai.request.max_tokens";              // int
inline constexpr std::string_view kTemperature = "gen_ai.request.temperature";           // double; absent when 0
inline constexpr std::string_view kN = "gen_ai.request.n";                               // int

}  // namespace spanloom::semconv::gen_ai

// Envoy's own spans, as recorded.
namespace spanloom::semconv::envoy {

inline constexpr std::string_view kRequestId = "guid:x-request-id";  // string
inline constexpr std::string_view kStatusCode = "http.status_code";  // string

}  // namespace spanloom::semconv::envoy

// llm_d.* of the guide's era: llm-d-inference-scheduler v0.6 and kv-cache v0.6, as recorded. *_ms are doubles that hold
// whole milliseconds.
namespace spanloom::semconv::llm_d {

inline constexpr std::string_view kTotalProfiles = "llm_d.profile_handler.total_profiles";        // int
inline constexpr std::string_view kExecutedProfiles = "llm_d.profile_handler.executed_profiles";  // int
inline constexpr std::string_view kInputTokens = "llm_d.profile_handler.input_tokens";            // int, bytes / 4
inline constexpr std::string_view kDecision = "llm_d.profile_handler.decision";                   // string
inline constexpr std::string_view kSelectedProfile = "llm_d.profile_handler.selected_profile";    // string
inline constexpr std::string_view kDecodeFailed = "llm_d.profile_handler.decode_failed";          // bool

inline constexpr std::string_view kPdUsed = "llm_d.epp.pd.disaggregation_used";            // bool
inline constexpr std::string_view kPdPrefillAddress = "llm_d.epp.pd.prefill_pod_address";  // string
inline constexpr std::string_view kPdPrefillPort = "llm_d.epp.pd.prefill_pod_port";        // string

inline constexpr std::string_view kScorerCandidates = "llm_d.scorer.candidate_endpoints";      // int
inline constexpr std::string_view kScoresComputed = "llm_d.scorer.scores_computed";            // int
inline constexpr std::string_view kScorerScoreMax = "llm_d.scorer.score.max";                  // double, 0 to 1
inline constexpr std::string_view kScorerScoreAvg = "llm_d.scorer.score.avg";                  // double, 0 to 1
inline constexpr std::string_view kEndpointsScored = "llm_d.scorer.endpoints_scored";          // int
inline constexpr std::string_view kKvPodCount = "llm_d.kv_cache.pod_count";                    // int
inline constexpr std::string_view kKvBlockKeys = "llm_d.kv_cache.block_keys.count";            // int
inline constexpr std::string_view kKvHitRatio = "llm_d.kv_cache.block_hit_ratio";              // double, 0 to 1
inline constexpr std::string_view kKvBlocksFound = "llm_d.kv_cache.blocks_found";              // int
inline constexpr std::string_view kIndexBlocks = "llm_d.kv_cache.index.lookup.block_count";    // int
inline constexpr std::string_view kIndexPodFilter = "llm_d.kv_cache.lookup.pod_filter_count";  // int
inline constexpr std::string_view kIndexHit = "llm_d.kv_cache.lookup.cache_hit";               // bool
inline constexpr std::string_view kIndexBlocksFound = "llm_d.kv_cache.lookup.blocks_found";    // int
inline constexpr std::string_view kKvAlgorithm = "llm_d.kv_cache.scorer.algorithm";            // string
inline constexpr std::string_view kKvKeyCount = "llm_d.kv_cache.scorer.key_count";             // int
inline constexpr std::string_view kKvScoreMax = "llm_d.kv_cache.score.max";                    // double, blocks
inline constexpr std::string_view kKvScoreAvg = "llm_d.kv_cache.score.avg";                    // double, blocks
inline constexpr std::string_view kKvPodsScored = "llm_d.kv_cache.scorer.pods_scored";         // int

inline constexpr std::string_view kProxyRequestId = "llm_d.pd_proxy.request_id";               // string, UUID version 1
inline constexpr std::string_view kProxyConnector = "llm_d.pd_proxy.connector";                // string
inline constexpr std::string_view kProxyPath = "llm_d.pd_proxy.request_path";                  // string
inline constexpr std::string_view kProxyDisaggregated = "llm_d.pd_proxy.disaggregation_used";  // bool
inline constexpr std::string_view kProxyPrefillTarget = "llm_d.pd_proxy.prefill_target";       // string, host:port
inline constexpr std::string_view kProxyPrefillCandidates = "llm_d.pd_proxy.prefill_candidates";  // int
inline constexpr std::string_view kPrefillStatus = "llm_d.pd_proxy.prefill.status_code";          // int, HTTP
inline constexpr std::string_view kPrefillMs = "llm_d.pd_proxy.prefill.duration_ms";
inline constexpr std::string_view kDecodeStreaming = "llm_d.pd_proxy.decode.streaming";         // bool
inline constexpr std::string_view kDecodeDataParallel = "llm_d.pd_proxy.decode.data_parallel";  // bool
inline constexpr std::string_view kDecodeTarget = "llm_d.pd_proxy.decode.target";               // string, host:port
inline constexpr std::string_view kDecodeMs = "llm_d.pd_proxy.decode.duration_ms";
inline constexpr std::string_view kTotalMs = "llm_d.pd_proxy.total_duration_ms";
inline constexpr std::string_view kTrueTtftMs =
    "llm_d.pd_proxy.true_ttft_ms";  // arrival to decode dispatch, not a TTFT
inline constexpr std::string_view kTotalPrefillMs = "llm_d.pd_proxy.prefill_duration_ms";
inline constexpr std::string_view kTotalDecodeMs = "llm_d.pd_proxy.decode_duration_ms";
inline constexpr std::string_view kCoordinatorMs = "llm_d.pd_proxy.coordinator_overhead_ms";

}  // namespace spanloom::semconv::llm_d

// Attributes that the router of August 2026 (ebab6879) adds or renames, as recorded.
namespace spanloom::semconv::llm_d_router {

inline constexpr std::string_view kTargetModel = "target_model";                                 // string
inline constexpr std::string_view kRequestPriority = "request_prio";                             // int
inline constexpr std::string_view kModality = "mm.modality";                                     // string
inline constexpr std::string_view kHashCount = "mm.hash_count";                                  // int
inline constexpr std::string_view kDecision = "llm_d.epp.profile_handler.decision";              // string
inline constexpr std::string_view kEncodeUsed = "llm_d.epp.encode.disaggregation_used";          // bool
inline constexpr std::string_view kEncodeReason = "llm_d.epp.encode.reason";                     // string
inline constexpr std::string_view kProfileName = "llm_d.epp.scheduling.profile.name";            // string
inline constexpr std::string_view kFilterCandidates = "llm_d.epp.filter.candidate_endpoints";    // int
inline constexpr std::string_view kFilterLeft = "llm_d.epp.filter.filtered_endpoints";           // int
inline constexpr std::string_view kScorerCount = "llm_d.epp.scorer.count";                       // int
inline constexpr std::string_view kScoringCandidates = "llm_d.epp.scoring.candidate_endpoints";  // int
inline constexpr std::string_view kScorerType = "llm_d.epp.scorer.type";                         // string
inline constexpr std::string_view kScorerName = "llm_d.epp.scorer.name";                         // string
inline constexpr std::string_view kScorerWeight = "llm_d.epp.scorer.weight";                     // double
inline constexpr std::string_view kScorerCandidates = "llm_d.epp.scorer.candidate_endpoints";    // int
inline constexpr std::string_view kScorerScoreMax = "llm_d.epp.scorer.score.max";                // double, 0 to 1
inline constexpr std::string_view kScorerScoreAvg = "llm_d.epp.scorer.score.avg";                // double, 0 to 1
inline constexpr std::string_view kScorerScored = "llm_d.epp.scorer.endpoints_scored";           // int
inline constexpr std::string_view kPickerCandidates = "llm_d.epp.picker.candidate_endpoints";    // int
inline constexpr std::string_view kPickerEndpoints = "llm_d.epp.picker.top_endpoints";  // string[], namespace/name
inline constexpr std::string_view kPickerScores = "llm_d.epp.picker.top_scores";        // double[], weighted
inline constexpr std::string_view kKvConnector = "llm_d.pd_proxy.kv_connector";         // string
inline constexpr std::string_view kEcConnector = "llm_d.pd_proxy.ec_connector";         // string
inline constexpr std::string_view kOpenAiApi = "llm_d.openai.api";                      // string

}  // namespace spanloom::semconv::llm_d_router

// Span names of llm-d and vLLM, as recorded.
namespace spanloom::semconv::span_name {

inline constexpr std::string_view kGatewayRequest = "gateway.request";     // EPP, all versions
inline constexpr std::string_view kLlmRequest = "llm_request";             // vLLM
inline constexpr std::string_view kEnvoyIngress = "ingress";               // Envoy
inline constexpr std::string_view kProxyServerPrefix = "llm_d.pd_proxy.";  // followed by "METHOD path"

// Scheduler v0.6.
inline constexpr std::string_view kProfilePick = "llm_d.epp.pd.profile_handler.pick";
inline constexpr std::string_view kPrefixCacheScorer = "llm_d.epp.scorer.prefix_cache";
inline constexpr std::string_view kKvGetScores = "llm_d.kv_cache.get_scores";
inline constexpr std::string_view kKvIndex = "llm_d.kv_cache.index";
inline constexpr std::string_view kKvScorerCompute = "llm_d.kv_cache.scorer.compute";
inline constexpr std::string_view kPdDisaggregation = "llm_d.epp.prerequest.pd_disaggregation";
inline constexpr std::string_view kProxyRequest = "llm_d.pd_proxy.request";
inline constexpr std::string_view kProxyPrefill = "llm_d.pd_proxy.prefill";
inline constexpr std::string_view kProxyDecode = "llm_d.pd_proxy.decode";

// What the scheduler makes of KV events, outside any request: v0.6 and router 0.10, later ones, and those of September
// 2026, which are off by default.
inline constexpr std::string_view kKvIndexAdd = "llm_d.kv_cache.index.add";
inline constexpr std::string_view kKvIndexEvict = "llm_d.kv_cache.index.evict";
inline constexpr std::string_view kIndexAdd = "index_add";
inline constexpr std::string_view kIndexEvict = "index_evict";
inline constexpr std::string_view kEventsReceive = "events_receive";
inline constexpr std::string_view kEventsProcess = "events_process";

// Router of August 2026.
inline constexpr std::string_view kOrchestration = "gateway.request_orchestration";
inline constexpr std::string_view kPickDisaggProfile = "pick_disagg_profile";
inline constexpr std::string_view kRunSchedulerProfile = "run_scheduler_profile";
inline constexpr std::string_view kFilterEndpoints = "filter_endpoints";
inline constexpr std::string_view kScoring = "llm_d.epp.scoring";
inline constexpr std::string_view kScorerPrefix = "llm_d.epp.scorer.";  // followed by the scorer's type
inline constexpr std::string_view kPickEndpoints = "pick_endpoints";
inline constexpr std::string_view kPrepareDisaggregation = "prepare_disaggregation";
inline constexpr std::string_view kForwardRequest = "forward_request";
inline constexpr std::string_view kPrefill = "prefill";
inline constexpr std::string_view kDecode = "decode";
inline constexpr std::string_view kHttpPost = "HTTP POST";

}  // namespace spanloom::semconv::span_name
