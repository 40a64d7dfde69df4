// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/live_options.h"

#include <absl/algorithm/container.h>
#include <absl/strings/str_join.h>

#include <array>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/duration.h"
#include "config/nearest.h"
#include "kube/json.h"

namespace spanloom::llmd::simulator {
namespace {

using simdjson::dom::element;
using std::chrono::nanoseconds;

// A time of LatencyOptions, by its flag's name.
struct LatencyName {
  std::string_view key;
  nanoseconds& (*in)(LatencyOptions&);
};

constexpr std::array<LatencyName, 11> kLatencies = {
    {{"time-to-first-token", [](LatencyOptions& of) -> nanoseconds& { return of.time_to_first_token.mean; }},
     {"time-to-first-token-std-dev", [](LatencyOptions& of) -> nanoseconds& { return of.time_to_first_token.std_dev; }},
     {"inter-token-latency", [](LatencyOptions& of) -> nanoseconds& { return of.inter_token.mean; }},
     {"inter-token-latency-std-dev", [](LatencyOptions& of) -> nanoseconds& { return of.inter_token.std_dev; }},
     {"kv-cache-transfer-latency", [](LatencyOptions& of) -> nanoseconds& { return of.kv_transfer.mean; }},
     {"kv-cache-transfer-latency-std-dev", [](LatencyOptions& of) -> nanoseconds& { return of.kv_transfer.std_dev; }},
     {"kv-cache-transfer-time-per-token",
      [](LatencyOptions& of) -> nanoseconds& { return of.kv_transfer_per_token.mean; }},
     {"kv-cache-transfer-time-std-dev",
      [](LatencyOptions& of) -> nanoseconds& { return of.kv_transfer_per_token.std_dev; }},
     {"prefill-overhead", [](LatencyOptions& of) -> nanoseconds& { return of.prefill_overhead; }},
     {"prefill-time-per-token", [](LatencyOptions& of) -> nanoseconds& { return of.prefill_per_token.mean; }},
     {"prefill-time-std-dev", [](LatencyOptions& of) -> nanoseconds& { return of.prefill_per_token.std_dev; }}}};
constexpr std::array<std::string_view, 5> kOthers = {"time-factor-under-load", "latency-calculator",
                                                     "failure-injection-rate", "failure-types", "fake-metrics"};

std::vector<std::string> ChangeableKeys() {
  std::vector<std::string> keys(kOthers.begin(), kOthers.end());
  for (const LatencyName& name : kLatencies) keys.emplace_back(name.key);
  return keys;
}

Status Wrong(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("\"", key, "\": ", what));
}

// A duration as Go writes it, or whole nanoseconds.
Status ReadDuration(std::string_view key, const element& value, nanoseconds& target) {
  std::string_view text;
  int64_t count = 0;
  if (value.get(count) == simdjson::SUCCESS) {
    target = nanoseconds(count);
    return absl::OkStatus();
  }
  const auto duration = value.get(text) == simdjson::SUCCESS ? config::ParseDuration(text) : std::nullopt;
  if (!duration) return Wrong(key, "is to be a duration, as \"250ms\", or a whole number of nanoseconds");
  target = *duration;
  return absl::OkStatus();
}

Status ReadDouble(std::string_view key, const element& value, double& target) {
  return value.get(target) == simdjson::SUCCESS ? absl::OkStatus() : Wrong(key, "is to be a number");
}

Status ReadCalculator(std::string_view key, const element& value, LatencyOptions& latency) {
  std::string_view name;
  if (value.get(name) != simdjson::SUCCESS) return Wrong(key, "is to be a text");
  const auto calculator = ParseLatencyCalculator(name);
  if (!calculator && !name.empty()) return Wrong(key, "is to be \"constant\", \"per-token\", \"batch\", or \"\"");
  latency.is_calculator_named = calculator.has_value();
  if (calculator) latency.calculator = *calculator;
  return absl::OkStatus();
}

Status ReadFailureTypes(std::string_view key, const element& value, std::vector<std::string>& types) {
  const std::string allowed = StrCat("is to be a list of ", absl::StrJoin(FailureTypes(), ", "));
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return Wrong(key, allowed);
  types.clear();
  for (const element each : list) {
    std::string_view type;
    if (each.get(type) != simdjson::SUCCESS || !absl::c_linear_search(FailureTypes(), type)) return Wrong(key, allowed);
    types.emplace_back(type);
  }
  return absl::OkStatus();
}

Status ReadFakeMetrics(std::string_view key, const element& value, SimulatorOptions& options) {
  if (!options.fake_metrics) return Wrong(key, "the server was started without --fake-metrics; start it with them");
  const Status status = options.fake_metrics->Change(simdjson::minify(value));
  return status.ok() ? status : Wrong(key, StdView(status.message()));
}

Status ReadKey(std::string_view key, const element& value, SimulatorOptions& options) {
  LatencyOptions& latency = options.engine.latency;
  for (const LatencyName& name : kLatencies) {
    if (name.key == key) return ReadDuration(key, value, name.in(latency));
  }
  if (key == "time-factor-under-load") return ReadDouble(key, value, latency.time_factor_under_load);
  if (key == "latency-calculator") return ReadCalculator(key, value, latency);
  if (key == "failure-injection-rate") return ReadDouble(key, value, options.failures.rate);
  if (key == "failure-types") return ReadFailureTypes(key, value, options.failures.types);
  if (key == "fake-metrics") return ReadFakeMetrics(key, value, options);
  const std::vector<std::string> keys = ChangeableKeys();
  return Wrong(key, StrCat("can't be changed while the server runs, unlike ", absl::StrJoin(keys, ", "),
                           config::DidYouMean(key, keys)));
}

void WriteTexts(std::string_view key, const std::vector<std::string>& texts, JsonWriter& writer) {
  writer.Key(key);
  writer.BeginArray();
  for (const std::string& text : texts) writer.String(text);
  writer.EndArray();
}

void WriteServer(const SimulatorOptions& options, JsonWriter& writer) {
  writer.Field("model", options.model);
  WriteTexts("served-model-name", options.served_names.empty() ? std::vector{options.model} : options.served_names,
             writer);
  WriteTexts("lora-modules", options.lora_names, writer);
  writer.Field("mode", options.mode == AnswerMode::kEcho ? "echo" : "random");
  writer.Field("max-model-len", options.model_tokens_max);
  writer.Field("max-request-body-size-mb", static_cast<uint64_t>(options.body_bytes_max >> 20));
  writer.Field("startup-duration", config::FormatDuration(options.startup_duration));
  writer.Field("default-embedding-dimensions", options.embedding_dimensions);
  writer.Field("tensor-parallel-size", options.tensor_parallel_size);
  writer.Key("seed");
  options.seed ? writer.Uint(*options.seed) : writer.Null();
  writer.Field("enable-request-id-headers", options.echoes_request_id);
  writer.Field("enable-prompt-tokens-details", options.shows_cached_tokens);
  writer.Field("enable-force-include-usage", options.forces_usage);
  writer.Field("enable-sleep-mode", options.has_sleep_mode);
  writer.Field("strict", options.is_strict);
}

void WriteEngine(const SimulatorOptions& options, JsonWriter& writer) {
  const EngineOptions& engine = options.engine;
  writer.Field("max-num-seqs", static_cast<uint64_t>(engine.running_max));
  writer.Field("max-waiting-queue-length", static_cast<uint64_t>(engine.waiting_max));
  writer.Field("max-num-batched-tokens", static_cast<uint64_t>(engine.step_tokens_max));
  writer.Field("max-loras", static_cast<uint64_t>(engine.loras_max));
  writer.Field("enable-kvcache", engine.finds_blocks);
  writer.Field("kv-cache-size", static_cast<uint64_t>(engine.blocks));
  writer.Field("block-size", static_cast<uint64_t>(engine.block_tokens));
  writer.Key("global-cache-hit-threshold");
  writer.Double(options.cache_hit_threshold);
}

void WriteTools(const ToolOptions& tools, JsonWriter& writer) {
  writer.Field("min-tool-call-integer-param", tools.integer_min);
  writer.Field("max-tool-call-integer-param", tools.integer_max);
  writer.Key("min-tool-call-number-param");
  writer.Double(tools.number_min);
  writer.Key("max-tool-call-number-param");
  writer.Double(tools.number_max);
  writer.Field("min-tool-call-array-param-length", tools.list_min);
  writer.Field("max-tool-call-array-param-length", tools.list_max);
  writer.Field("tool-call-not-required-param-probability", tools.optional_percent);
  writer.Field("object-tool-call-not-required-field-probability", tools.optional_field_percent);
  writer.Field("tool-call-extra-call-probability", tools.extra_call_percent);
}

void WriteChangeable(const SimulatorOptions& options, JsonWriter& writer) {
  LatencyOptions latency = options.engine.latency;
  for (const LatencyName& name : kLatencies) writer.Field(name.key, config::FormatDuration(name.in(latency)));
  writer.Key("time-factor-under-load");
  writer.Double(latency.time_factor_under_load);
  writer.Key("speedup");
  writer.Double(latency.speedup);
  writer.Field("latency-calculator", LatencyCalculatorName(latency.calculator));
  writer.Key("failure-injection-rate");
  writer.Double(options.failures.rate);
  WriteTexts("failure-types", options.failures.types, writer);
  writer.Key("fake-metrics");
  options.fake_metrics ? writer.Raw(options.fake_metrics->Json()) : writer.Null();
}

}  // namespace

LiveOptions::LiveOptions(const SimulatorOptions& options)
    : options_(std::make_shared<SimulatorOptions>(options)), may_fail_(options.failures.rate > 0) {}

std::shared_ptr<const SimulatorOptions> LiveOptions::Get() const {
  const MutexLock lock(mutex_);
  return options_;
}

Status LiveOptions::Change(std::string_view json, absl::FunctionRef<void(const SimulatorOptions&)> apply) {
  const MutexLock changing(changing_);
  kube::JsonReader reader;
  ASSIGN_OR_RETURN(const element root, reader.Read(json));
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS)
    return absl::InvalidArgumentError("the body is to be a JSON object of what is to be changed");
  auto changed = std::make_shared<SimulatorOptions>(*Get());
  for (const auto field : object) {
    if (!field.value.is_null()) RETURN_IF_ERROR(ReadKey(field.key, field.value, *changed));
  }
  RETURN_IF_ERROR(ChooseCalculator(changed->engine.latency));
  RETURN_IF_ERROR(Validate(*changed));
  may_fail_.store(changed->failures.rate > 0, std::memory_order_relaxed);
  {
    const MutexLock lock(mutex_);
    options_ = changed;
  }
  apply(*changed);
  return absl::OkStatus();
}

std::string OptionsJson(const SimulatorOptions& options) {
  std::string json;
  JsonWriter writer(json);
  writer.BeginObject();
  WriteServer(options, writer);
  WriteEngine(options, writer);
  WriteTools(options.tools, writer);
  WriteChangeable(options, writer);
  writer.EndObject();
  return json;
}

}  // namespace spanloom::llmd::simulator
