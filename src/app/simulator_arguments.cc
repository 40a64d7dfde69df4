// SPDX-License-Identifier: Apache-2.0

#include "app/simulator_arguments.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/text.h"
#include "config/duration.h"
#include "kube/json.h"
#include "net/self_signed.h"

namespace spanloom::app {
namespace {

using llmd::simulator::LatencyCalculator;
using llmd::simulator::LatencyOptions;
using llmd::simulator::Role;
using llmd::simulator::Spread;
using std::chrono::nanoseconds;

// A duration as Go writes it, or a number of milliseconds.
std::optional<nanoseconds> ReadDuration(const std::string& text) {
  double milliseconds = 0;
  if (absl::SimpleAtod(text, &milliseconds)) return nanoseconds(static_cast<int64_t>(milliseconds * 1e6));
  return config::ParseDuration(text);
}

void AddDuration(CLI::App& command, const std::string& name, nanoseconds& target, const std::string& words) {
  command
      .add_option_function<std::string>(
          name, [&target](const std::string& text) { target = *ReadDuration(text); }, words)
      ->type_name("DURATION")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return ReadDuration(text)
                       ? std::string()
                       : StrCat("\"", text, "\" is no duration: 250ms, 1.5s, or a number of milliseconds");
          },
          ""));
}

void AddSpread(CLI::App& command, const std::string& name, const std::string& deviation, Spread& spread,
               const std::string& words) {
  AddDuration(command, name, spread.mean, words);
  AddDuration(command, deviation, spread.std_dev, "Its standard deviation, at most 30 % of it");
}

void DeclareRanks(CLI::App& command, SimulatorArguments& arguments) {
  constexpr int kRanksMax = 8;  // llm-d-inference-sim's
  command
      .add_option("--data-parallel-size", arguments.ranks,
                  "Engines, each with an API at a port of its own: the port, the next one, and so on")
      ->check(CLI::Range(1, kRanksMax))
      ->capture_default_str();
  command.add_option("--data-parallel-rank", arguments.words.rank,
                     "Which of several engines this one is, where each is a process; --data-parallel-size is not "
                     "looked at then");
  command
      .add_option("--tensor-parallel-size", arguments.options.tensor_parallel_size,
                  "What prefill tells decode of itself (tp_size)")
      ->capture_default_str();
}

void DeclareServer(CLI::App& command, SimulatorArguments& arguments) {
  command.add_option("--host", arguments.words.host, "Address to listen at")->capture_default_str();
  command.add_option("--port", arguments.words.port, "Port of the HTTP API; 0 picks a free one")->capture_default_str();
  command
      .add_option("--ssl-certfile", arguments.words.certificate_file,
                  "Certificate of the HTTP API; with it there is TLS")
      ->type_name("FILE");
  command.add_option("--ssl-keyfile", arguments.words.key_file, "The key of that certificate")->type_name("FILE");
  command.add_flag("--self-signed-certs", arguments.words.is_self_signed,
                   "TLS with a certificate that is made at the start, and that nobody vouches for");
  command
      .add_option("--max-request-body-size-mb", arguments.words.body_megabytes_max,
                  "Megabytes of a request; larger ones are answered 413")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  AddDuration(command, "--startup-duration", arguments.options.startup_duration,
              "How long /health/ready is answered 503, as if a model were being loaded");
  DeclareRanks(command, arguments);
  command.add_option("--model", arguments.options.model, "Name of the model")->envname("SIM_MODEL");
  command.add_option("--served-model-name", arguments.options.served_names,
                     "What requests call the model by; the model's name if not given");
  command.add_option("--lora-modules", arguments.words.lora_modules,
                     "LoRA adapters: names, or vLLM's {\"name\": \"a\", \"path\": \"b\"}");
  command.add_option("--max-model-len", arguments.options.model_tokens_max, "Tokens of a prompt and its answer")
      ->capture_default_str();
  command.add_option("--mode", arguments.words.mode, "What answers say: random words, or an echo of the prompt")
      ->check(CLI::IsMember({"random", "echo"}))
      ->capture_default_str();
  command.add_option("--runner", arguments.words.runner, "vLLM's: generate or pooling leave the other's routes out")
      ->check(CLI::IsMember({"auto", "generate", "pooling"}))
      ->capture_default_str();
  command.add_option("--engine", arguments.words.engine, "llm-d-inference-sim's: whose API this is")
      ->envname("SIM_ENGINE")
      ->check(CLI::IsMember({"vllm"}));
  command.add_option("--config", arguments.words.config_file, "A YAML file of flags; the command line stands over it")
      ->type_name("FILE");
  command.add_flag("--strict", arguments.options.is_strict,
                   "Refuse chats and completions that do not say by content-type that they are JSON, as vLLM does");
  command.add_flag("--enable-sleep-mode,!--no-enable-sleep-mode", arguments.options.has_sleep_mode,
                   "Whether there are /sleep, /wake_up and /is_sleeping");
  command.add_option("--seed", arguments.options.seed, "The same seed gives the same answers and times");
  command
      .add_option("--role", arguments.words.role,
                  "prefill, decode or both: names the service, and what SGLang's bootstrap fields mean")
      ->check(CLI::IsMember({"prefill", "decode", "both"}));
  command.add_option("--kv-transfer-config", arguments.words.kv_transfer_config, "vLLM's: its kv_role is the role")
      ->type_name("JSON");
  command
      .add_option(
          "--disaggregation-bootstrap-port", arguments.options.bootstrap_port,
          "SGLang's: where decode servers find a server of role prefill; also opened for vLLM's MooncakeConnector")
      ->type_name("PORT");
  command.add_flag("--enable-request-id-headers", arguments.options.echoes_request_id,
                   "Answer with the request's X-Request-Id");
  command.add_flag("--enable-prompt-tokens-details", arguments.options.shows_cached_tokens,
                   "Say in the usage how many tokens were in the cache");
  command.add_flag("--enable-force-include-usage", arguments.options.forces_usage, "End every stream with its usage");
}

void DeclareEngine(CLI::App& command, SimulatorArguments& arguments) {
  llmd::simulator::EngineOptions& engine = arguments.options.engine;
  command.add_option("--max-num-seqs", engine.running_max, "Sequences that run at once")->capture_default_str();
  command.add_option("--max-waiting-queue-length", engine.waiting_max, "Sequences that wait; more are answered 429")
      ->capture_default_str();
  command
      .add_option_function<size_t>(
          "--max-num-batched-tokens",
          [&arguments](size_t tokens) {
            arguments.options.engine.step_tokens_max = tokens;
            arguments.words.has_batched_tokens = true;
          },
          "Tokens that a step computes; asks for the latency calculator batch")
      ->default_str(std::to_string(engine.step_tokens_max));
  command.add_option("--max-loras", engine.loras_max, "LoRA adapters that run at once; requests of others wait")
      ->capture_default_str();
  command.add_flag("--enable-kvcache,--enable-prefix-caching,!--no-enable-prefix-caching", engine.finds_blocks,
                   "Keep a prefix cache");
  command
      .add_option("--global-cache-hit-threshold", arguments.options.cache_hit_threshold,
                  "Share of a prompt that is to be in the cache, 0 to 1; a request below it ends with the reason "
                  "cache_threshold. Its own cache_hit_threshold goes first")
      ->capture_default_str();
  command
      .add_option("--default-embedding-dimensions", arguments.options.embedding_dimensions,
                  "Dimensions of embeddings where the request says none")
      ->check(CLI::Range(1, 65'536))
      ->capture_default_str();
  command
      .add_option("--kv-cache-dtype", arguments.options.cache_dtype, "What vllm:cache_config_info says of the cache")
      ->capture_default_str();
  command.add_option("--kv-cache-size,--num-gpu-blocks-override", engine.blocks, "Blocks of the KV cache")
      ->capture_default_str();
  command.add_option("--block-size", engine.block_tokens, "Tokens of a block")->capture_default_str();
  command.add_option("--hash-seed", arguments.options.hash_seed, "Seed of the blocks' hashes; random if not given")
      ->envname("PYTHONHASHSEED");
  command.add_option("--prefix-caching-hash-algo", arguments.words.hash_algorithm, "sha256_cbor or xxhash_cbor")
      ->capture_default_str();
}

void DeclareLatency(CLI::App& command, SimulatorArguments& arguments) {
  LatencyOptions& latency = arguments.options.engine.latency;
  command
      .add_option("--latency-calculator", arguments.words.calculator,
                  "constant, per-token or batch; by the flags that are given if not said")
      ->check(CLI::IsMember({"", "constant", "per-token", "batch"}));
  AddSpread(command, "--time-to-first-token", "--time-to-first-token-std-dev", latency.time_to_first_token,
            "Time of a prefill (constant)");
  AddSpread(command, "--inter-token-latency", "--inter-token-latency-std-dev", latency.inter_token,
            "Time of a token, or of a step that decodes (batch)");
  AddSpread(command, "--kv-cache-transfer-latency", "--kv-cache-transfer-latency-std-dev", latency.kv_transfer,
            "Time to fetch the KV blocks of a request");
  AddSpread(command, "--kv-cache-transfer-time-per-token", "--kv-cache-transfer-time-std-dev",
            latency.kv_transfer_per_token, "Time to fetch the KV blocks of a token, in place of the time of a request");
  AddDuration(command, "--prefill-overhead", latency.prefill_overhead, "Time of a prefill beside that of its tokens");
  AddSpread(command, "--prefill-time-per-token", "--prefill-time-std-dev", latency.prefill_per_token,
            "Time of a token of a prompt");
  command
      .add_option("--time-factor-under-load", latency.time_factor_under_load,
                  "By which prefill and decode are longer when all slots are taken")
      ->capture_default_str();
  command.add_option("--speedup", latency.speedup, "By which all of these times are shorter")->capture_default_str();
}

void DeclareEvents(CLI::App& command, SimulatorArguments& arguments) {
  llmd::simulator::KvEventOptions& events = arguments.events;
  command
      .add_option("--zmq-endpoint", events.endpoint,
                  "Publish the events of the prefix cache there: tcp://*:5557 binds, tcp://host:5557 connects")
      ->type_name("ENDPOINT");
  command.add_option("--kv-events-replay-endpoint", events.replay_endpoint, "Where events can be asked for again")
      ->type_name("ENDPOINT");
  command
      .add_option("--kv-events-replay-queue-size", events.kept_batches, "Batches that are kept to be asked for again")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_option("--zmq-topic", events.topic, "Topic of the events; kv@POD_IP@MODEL if not given")
      ->type_name("TEXT");
  command.add_option("--event-batch-size", events.batch_events, "Events of a batch; what is fewer goes after a second")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--use-vllm-map-event-format", arguments.words.has_event_maps,
                   "Events as maps, as vLLM has them since 0.24, in place of lists");
  command
      .add_option("--kv-events-config", arguments.words.kv_events_config,
                  "vLLM's: enable_kv_cache_events, endpoint, replay_endpoint, topic, buffer_steps, hwm, max_queue_size")
      ->type_name("JSON");
}

void DeclareTelemetry(CLI::App& command, SimulatorArguments& arguments) {
  command
      .add_option("--otlp-traces-endpoint", arguments.traces_endpoint,
                  "Where spans go: http://host:4317, grpc://host:4317, or http://host:4318/v1/traces with "
                  "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf")
      ->type_name("URL");
  command
      .add_option("--collect-detailed-traces", arguments.detailed_traces,
                  "model, worker or all; changes no span, as in vLLM")
      ->delimiter(',')
      ->check(CLI::IsMember({"model", "worker", "all"}));
  command
      .add_option("--service-suffix", arguments.service_suffix,
                  "Appended to the default service name: vllm-prefill, vllm-decode or vllm")
      ->type_name("TEXT");
  command
      .add_option(
          "--fake-metrics", arguments.words.fake_metrics,
          "What /metrics says in place of the truth: running-requests, waiting-requests, kv-cache-usage, loras, "
          "ttft-buckets-values and others")
      ->type_name("JSON");
  AddDuration(command, "--fake-metrics-refresh-interval", arguments.options.fake_metrics_interval,
              "At which fake metrics that are functions of time change (100ms)");
  command.add_flag("--faithful", arguments.options.is_faithful, "Keep the oddities of vLLM's spans");
  command.add_option("--log-format", arguments.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command.add_option("--v", arguments.words.verbosity, "klog's: 1 warn, 2 and 3 info, 4 and more debug");
  command.add_option("--log-level", arguments.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void DeclareFailures(CLI::App& command, SimulatorArguments& arguments) {
  command
      .add_option("--failure-injection-rate", arguments.options.failures.rate, "Percentage of the requests that fail")
      ->capture_default_str();
  command
      .add_option("--failure-types", arguments.options.failures.types,
                  "How they fail: any of those there are if not given")
      ->delimiter(',')
      ->check(CLI::IsMember(llmd::simulator::FailureTypes()));
}

void DeclareTools(CLI::App& command, llmd::simulator::ToolOptions& tools) {
  const auto add = [&](const std::string& name, auto& target, const std::string& words) {
    return command.add_option(name, target, words)->capture_default_str();
  };
  add("--min-tool-call-integer-param", tools.integer_min, "The least integer in an argument of a tool");
  add("--max-tool-call-integer-param", tools.integer_max, "The largest one; a schema's own bounds go first");
  add("--min-tool-call-number-param", tools.number_min, "The least number in an argument of a tool");
  add("--max-tool-call-number-param", tools.number_max, "The largest one; a schema's own bounds go first");
  add("--min-tool-call-array-param-length", tools.list_min, "The fewest items of a list in an argument of a tool");
  add("--max-tool-call-array-param-length", tools.list_max, "The most; a schema's own bounds go first");
  const CLI::Range percent(0, 100);
  add("--tool-call-not-required-param-probability", tools.optional_percent,
      "Percentage of the arguments that are given though they need not be")
      ->check(percent);
  add("--object-tool-call-not-required-field-probability", tools.optional_field_percent,
      "The same of the members of objects in arguments")
      ->check(percent);
  add("--tool-call-extra-call-probability", tools.extra_call_percent,
      "Chance in percent that one more tool is called than has to be, again after each: none has to be with "
      "tool_choice auto, one with required")
      ->check(percent);
}

void DeclareDataset(CLI::App& command, SimulatorArguments::Words& words) {
  command
      .add_option("--dataset-path", words.dataset_path,
                  "Answers are those of this data set, an SQLite file as llm-d-inference-sim has them")
      ->type_name("FILE");
  command.add_option("--dataset-table-name", words.dataset_table, "Its table")->capture_default_str();
  command
      .add_option("--dataset-url", words.dataset_url,
                  "Where the file comes from; if it is not there, it is not fetched")
      ->type_name("URL");
}

Status Wrong(std::string_view flag, std::string_view what) {
  return absl::InvalidArgumentError(StrCat(flag, ": ", what));
}

// The role that vLLM's --kv-transfer-config means.
Status ReadTransferConfig(SimulatorArguments& arguments) {
  if (arguments.words.kv_transfer_config.empty()) return absl::OkStatus();
  kube::JsonReader reader;
  const auto root = reader.Read(arguments.words.kv_transfer_config);
  if (!root.ok() || !root->is_object()) return Wrong("--kv-transfer-config", "is to be a JSON object");
  const std::string_view role = kube::TextAt(*root, "kv_role");
  if (role != "kv_producer" && role != "kv_consumer" && role != "kv_both") {
    return Wrong("--kv-transfer-config", "its kv_role is to be kv_producer, kv_consumer or kv_both");
  }
  const std::string_view policy = kube::TextAt(*root, "kv_load_failure_policy");
  if (!policy.empty() && policy != "fail" && policy != "recompute")
    return Wrong("--kv-transfer-config", "its kv_load_failure_policy is to be fail or recompute");
  arguments.options.fails_without_blocks = policy == "fail";
  arguments.words.is_mooncake = kube::TextAt(*root, "kv_connector") == "MooncakeConnector";
  if (arguments.words.role.empty())
    arguments.words.role = role == "kv_producer" ? "prefill" : role == "kv_consumer" ? "decode" : "both";
  return absl::OkStatus();
}

// A field of vLLM's --kv-events-config.
void ReadEventField(const simdjson::dom::element& value, std::string_view key, llmd::simulator::KvEventOptions& events,
                    Status& status) {
  std::string_view text;
  uint64_t number = 0;
  const bool is_text = value.get(text) == simdjson::SUCCESS;
  const bool is_number = value.get(number) == simdjson::SUCCESS && number > 0 && number <= INT32_MAX;
  if (key == "endpoint" && is_text) {
    events.endpoint = text;
  } else if (key == "replay_endpoint" && (is_text || value.is_null())) {
    events.replay_endpoint = text;
  } else if (key == "topic" && is_text) {
    events.topic = text;
  } else if (key == "buffer_steps" && is_number) {
    events.kept_batches = number;
  } else if (key == "hwm" && is_number) {
    events.send_queue_max = static_cast<int>(number);
  } else if (key == "max_queue_size" && is_number) {
    events.waiting_events_max = number;
  } else if (key == "publisher" && text == "zmq") {
    return;
  } else if (key != "enable_kv_cache_events" || !value.is_bool()) {
    status = Wrong("--kv-events-config", StrCat("\"", key, "\" is no field of it, or has a value that it can't have"));
  }
}

Status ReadEventsConfig(SimulatorArguments& arguments) {
  llmd::simulator::KvEventOptions& events = arguments.events;
  events.form = arguments.words.has_event_maps ? llmd::wire::KvEventForm::kMap : llmd::wire::KvEventForm::kList;
  if (arguments.words.kv_events_config.empty()) return absl::OkStatus();
  kube::JsonReader reader;
  const auto root = reader.Read(arguments.words.kv_events_config);
  simdjson::dom::object object;
  if (!root.ok() || root->get(object) != simdjson::SUCCESS)
    return Wrong("--kv-events-config", "is to be a JSON object");
  bool is_on = false;
  if ((*root)["enable_kv_cache_events"].get(is_on) != simdjson::SUCCESS || !is_on) return absl::OkStatus();
  if (events.endpoint.empty()) events.endpoint = "tcp://*:5557";
  Status status;
  for (const auto field : object) ReadEventField(field.value, field.key, events, status);
  return status;
}

// An endpoint of ZeroMQ whose port is `offset` higher, if it has one.
std::string ShiftPort(const std::string& endpoint, size_t offset) {
  const size_t colon = endpoint.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(endpoint.substr(colon + 1), &port)) return endpoint;
  return StrCat(endpoint.substr(0, colon + 1), port + offset);
}

// A router tells servers apart by it. With several ranks a pod's address is that of all, so their ports tell them
// apart.
std::string TopicOf(const SimulatorArguments& arguments, size_t offset) {
  const char* const address = std::getenv("POD_IP");
  const std::vector<std::string>& names = arguments.options.served_names;
  const bool is_parallel = arguments.ranks > 1 || arguments.options.rank > 0;
  return StrCat("kv@", address == nullptr ? "localhost" : address,
                is_parallel ? StrCat(":", arguments.words.port + offset) : "", "@",
                names.empty() ? arguments.options.model : names.front());
}

// Events are of the prefix cache, and a router tells servers apart by the topic.
Status CompleteEvents(SimulatorArguments& arguments) {
  RETURN_IF_ERROR(ReadEventsConfig(arguments));
  llmd::simulator::KvEventOptions& events = arguments.events;
  if (events.endpoint.empty()) {
    if (events.replay_endpoint.empty()) return absl::OkStatus();
    return Wrong("--kv-events-replay-endpoint", "there is nothing to be asked for again; give --zmq-endpoint as well");
  }
  if (!arguments.options.engine.finds_blocks)
    return Wrong("--zmq-endpoint", "events are of the prefix cache; give --enable-kvcache as well");
  if (!events.topic.empty() || !arguments.words.kv_events_config.empty()) return absl::OkStatus();
  events.topic = TopicOf(arguments, 0);
  return absl::OkStatus();
}

Status ReadAdapters(SimulatorArguments& arguments) {
  for (const std::string& module : arguments.words.lora_modules) {
    std::string name = module.substr(0, module.find('='));  // vLLM's older "name=path"
    if (module.starts_with("{")) {
      kube::JsonReader reader;
      const auto root = reader.Read(module);
      if (root.ok()) name = kube::TextAt(*root, "name");
    }
    if (name.empty() || name.starts_with("{"))
      return Wrong("--lora-modules", StrCat("\"", module, "\" names no adapter"));
    arguments.options.lora_names.push_back(std::move(name));
  }
  return absl::OkStatus();
}

Status ReadFakeMetrics(SimulatorArguments& arguments) {
  if (arguments.words.fake_metrics.empty()) return absl::OkStatus();
  StatusOr<llmd::simulator::FakeMetrics> metrics = llmd::simulator::FakeMetrics::Parse(arguments.words.fake_metrics);
  if (!metrics.ok()) return Wrong("--fake-metrics", StdView(metrics.status().message()));
  arguments.options.fake_metrics = *std::move(metrics);
  return absl::OkStatus();
}

Status CompleteRanks(SimulatorArguments& arguments) {
  if (arguments.words.rank) {
    arguments.options.rank = *arguments.words.rank;
    arguments.ranks = 1;
  }
  constexpr size_t kMegabyte = 1 << 20;
  arguments.options.body_bytes_max = arguments.words.body_megabytes_max * kMegabyte;
  if (arguments.words.port == 0 || arguments.words.port + arguments.ranks - 1 <= UINT16_MAX) return absl::OkStatus();
  return Wrong("--data-parallel-size",
               StrCat("there are no ", arguments.ranks, " ports from ", arguments.words.port, " on (--port)"));
}

Status CompleteTls(SimulatorArguments& arguments) {
  const SimulatorArguments::Words& words = arguments.words;
  if (words.certificate_file.empty() != words.key_file.empty()) {
    return Wrong("--ssl-certfile, --ssl-keyfile", "are given together or not at all");
  }
  if (words.key_file.empty() && !words.is_self_signed) return absl::OkStatus();
  std::optional<net::TlsServerOptions>& tls = arguments.options.tls;
  tls.emplace();
  tls->cert_file = words.certificate_file;
  tls->key_file = words.key_file;
  if (!words.key_file.empty()) {
    return words.is_self_signed ? Wrong("--self-signed-certs", "there is a certificate already (--ssl-certfile)")
                                : absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const net::SelfSigned made, net::MakeSelfSigned("localhost"));
  tls->cert_pem = made.certificate;
  tls->key_pem = made.key;
  return absl::OkStatus();
}

void NameCalculator(SimulatorArguments& arguments) {
  LatencyOptions& latency = arguments.options.engine.latency;
  const auto named = llmd::simulator::ParseLatencyCalculator(arguments.words.calculator);
  latency.is_calculator_named = named || arguments.words.has_batched_tokens;
  latency.calculator = named.value_or(LatencyCalculator::kBatch);
}

// klog's numbers, as far as there is something to say.
void SetVerbosity(SimulatorArguments& arguments) {
  constexpr int kWarning = 1;
  constexpr int kDebug = 4;
  if (!arguments.words.verbosity) return;
  const int number = *arguments.words.verbosity;
  arguments.log_level = number <= kWarning ? "warn" : number < kDebug ? "info" : "debug";
}

// A file that is not there is not fetched: nothing here is.
Status ReadDataset(SimulatorArguments& arguments) {
  const SimulatorArguments::Words& words = arguments.words;
  if (words.dataset_path.empty()) {
    return words.dataset_url.empty()
               ? absl::OkStatus()
               : Wrong("--dataset-url", "says where a file comes from; --dataset-path is to name it");
  }
  if (words.mode == "echo")
    return Wrong("--dataset-path", "with --mode=echo answers are the prompts; leave one of them out");
  if (access(words.dataset_path.c_str(), F_OK) != 0 && !words.dataset_url.empty()) {
    return Wrong("--dataset-url", StrCat("nothing is downloaded here, and ", words.dataset_path,
                                         " (--dataset-path) is not there; fetch it: curl -Lo ", words.dataset_path, " ",
                                         words.dataset_url));
  }
  ASSIGN_OR_RETURN(arguments.options.dataset, llmd::simulator::Dataset::Load(words.dataset_path, words.dataset_table));
  return absl::OkStatus();
}

}  // namespace

void DeclareSimulatorArguments(CLI::App& command, SimulatorArguments& arguments) {
  DeclareServer(command, arguments);
  DeclareEngine(command, arguments);
  DeclareLatency(command, arguments);
  DeclareEvents(command, arguments);
  DeclareTelemetry(command, arguments);
  DeclareFailures(command, arguments);
  DeclareTools(command, arguments.options.tools);
  DeclareDataset(command, arguments.words);
  DeclareForeignFlags(command, arguments.foreign);
  DeclareDrainTimeout(command, arguments.drain_timeout);
}

llmd::simulator::KvEventOptions EventsOf(const SimulatorArguments& arguments, size_t offset) {
  llmd::simulator::KvEventOptions events = arguments.events;
  events.rank = arguments.options.rank + offset;
  events.endpoint = ShiftPort(events.endpoint, offset);
  events.replay_endpoint = ShiftPort(events.replay_endpoint, offset);
  if (events.topic == TopicOf(arguments, 0)) events.topic = TopicOf(arguments, offset);
  return events;
}

Status CompleteArguments(SimulatorArguments& arguments) {
  llmd::simulator::SimulatorOptions& options = arguments.options;
  RETURN_IF_ERROR(RefuseMissing(arguments.foreign));
  RETURN_IF_ERROR(ReadTransferConfig(arguments));
  RETURN_IF_ERROR(ReadAdapters(arguments));
  RETURN_IF_ERROR(ReadFakeMetrics(arguments));
  RETURN_IF_ERROR(CompleteRanks(arguments));
  const SimulatorArguments::Words& words = arguments.words;
  options.endpoint =
      StrCat(words.host.find(':') == std::string::npos ? words.host : StrCat("[", words.host, "]"), ":", words.port);
  options.mode = words.mode == "echo" ? llmd::simulator::AnswerMode::kEcho : llmd::simulator::AnswerMode::kRandom;
  options.runner = words.runner == "generate"  ? llmd::simulator::Runner::kGenerate
                   : words.runner == "pooling" ? llmd::simulator::Runner::kPooling
                                               : llmd::simulator::Runner::kAuto;
  SetVerbosity(arguments);
  options.role = words.role == "prefill" ? Role::kPrefill : words.role == "decode" ? Role::kDecode : Role::kBoth;
  RETURN_IF_ERROR(CompleteTls(arguments));
  const auto algorithm = llmd::wire::ParseBlockHashAlgorithm(words.hash_algorithm);
  if (!algorithm.ok()) return Wrong("--prefix-caching-hash-algo", StdView(algorithm.status().message()));
  options.hash_algorithm = *algorithm;
  options.engine.latency.running_max = options.engine.running_max;
  NameCalculator(arguments);
  RETURN_IF_ERROR(ChooseCalculator(options.engine.latency));
  RETURN_IF_ERROR(CompleteEvents(arguments));
  return ReadDataset(arguments);
}

}  // namespace spanloom::app
