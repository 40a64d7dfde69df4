// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/fake_metrics.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/json_writer.h"
#include "base/text.h"
#include "config/duration.h"
#include "kube/json.h"
#include "llmd/simulator/metric_bounds.h"

namespace spanloom::llmd::simulator {
namespace {

using simdjson::dom::element;
using std::chrono::nanoseconds;

// How a histogram's buckets are bounded.
enum class Bounds : uint8_t { kFirstToken, kInterToken, kRequest, kTokens };

struct FakeName {
  std::string_view key;   // of the JSON
  std::string_view name;  // of Prometheus
  Bounds bounds = Bounds::kRequest;
};

constexpr std::array<FakeName, 3> kGauges = {{{"running-requests", "vllm:num_requests_running"},
                                              {"waiting-requests", "vllm:num_requests_waiting"},
                                              {"kv-cache-usage", "vllm:kv_cache_usage_perc"}}};
constexpr std::string_view kUsage = "kv-cache-usage";

constexpr std::array<FakeName, 12> kHistograms = {
    {{"ttft-buckets-values", "vllm:time_to_first_token_seconds", Bounds::kFirstToken},
     {"tpot-buckets-values", "vllm:time_per_output_token_seconds", Bounds::kInterToken},
     {"tpot-buckets-values", "vllm:inter_token_latency_seconds", Bounds::kInterToken},
     {"e2erl-buckets-values", "vllm:e2e_request_latency_seconds"},
     {"queue-time-buckets-values", "vllm:request_queue_time_seconds"},
     {"inf-time-buckets-values", "vllm:request_inference_time_seconds"},
     {"prefill-time-buckets-values", "vllm:request_prefill_time_seconds"},
     {"decode-time-buckets-values", "vllm:request_decode_time_seconds"},
     {"request-prompt-tokens", "vllm:request_prompt_tokens", Bounds::kTokens},
     {"request-generation-tokens", "vllm:request_generation_tokens", Bounds::kTokens},
     {"request-max-generation-tokens", "vllm:request_max_num_generation_tokens", Bounds::kTokens},
     {"request-params-max-tokens", "vllm:request_params_max_tokens", Bounds::kTokens}}};

// A total that is not given is that of the histogram `of`, if there is one.
struct FakeTotal {
  std::string_view key;
  std::string_view name;
  std::string_view of;
};

constexpr std::array<FakeTotal, 4> kTotals = {
    {{"total-prompt-tokens", "vllm:prompt_tokens_total", "request-prompt-tokens"},
     {"total-generation-tokens", "vllm:generation_tokens_total", "request-generation-tokens"},
     {"prefix-cache-hits", "vllm:prefix_cache_hits_total", ""},
     {"prefix-cache-queries", "vllm:prefix_cache_queries_total", ""}}};

constexpr std::array<std::string_view, 7> kReasons = {"stop",       "length",        "abort",          "error",
                                                      "tool_calls", "remote_decode", "cache_threshold"};

Status Wrong(std::string_view key, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("\"", key, "\": ", what));
}

std::vector<double> BoundsOf(Bounds bounds, int64_t model_tokens_max) {
  switch (bounds) {
    case Bounds::kFirstToken:
      return FirstTokenBounds();
    case Bounds::kInterToken:
      return InterTokenBounds();
    case Bounds::kRequest:
      return RequestBounds();
    case Bounds::kTokens:
      return TokenCountBounds(model_tokens_max);
  }
  return {};
}

// What the values in bucket `index` are taken to be: its upper bound, and above all of them one more than the last.
double ValueOf(const std::vector<double>& bounds, size_t index) {
  return index < bounds.size() ? bounds[index] : bounds.back() + 1;
}

void AppendType(std::string& page, std::string_view name, std::string_view type) {
  StrAppend(page, "# TYPE ", name, " ", type, "\n");
}

std::string Escaped(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\\' || c == '"') escaped.push_back('\\');
    c == '\n' ? escaped += "\\n" : escaped += c;
  }
  return escaped;
}

void AppendHistogram(std::string& page, std::string_view name, const std::string& model,
                     const std::vector<double>& bounds, const std::vector<uint64_t>& counts) {
  AppendType(page, name, "histogram");
  uint64_t sum_of_counts = 0;
  double sum = 0;
  for (size_t i = 0; i <= bounds.size(); ++i) {
    const uint64_t count = i < counts.size() ? counts[i] : 0;
    sum_of_counts += count;
    sum += static_cast<double>(count) * ValueOf(bounds, i);
    const std::string bound = i < bounds.size() ? StrCat(bounds[i]) : "+Inf";
    StrAppend(page, name, "_bucket{model_name=\"", model, "\",le=\"", bound, "\"} ", sum_of_counts, "\n");
  }
  StrAppend(page, name, "_sum{model_name=\"", model, "\"} ", sum, "\n");
  StrAppend(page, name, "_count{model_name=\"", model, "\"} ", sum_of_counts, "\n");
}

StatusOr<uint64_t> ReadCount(std::string_view key, const element& value) {
  uint64_t count = 0;
  if (value.get(count) == simdjson::SUCCESS) return count;
  return Wrong(key, "is to be a whole number, 0 or more, or a list or map of such");
}

}  // namespace

StatusOr<FakeValue> FakeValue::Parse(std::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(AbslView(text), ':');
  FakeValue value;
  const std::string& shape = parts.front();
  value.shape_ = shape == "oscillate"    ? Shape::kOscillate
                 : shape == "ramp"       ? Shape::kRamp
                 : shape == "rampreset"  ? Shape::kRampReset
                 : shape == "squarewave" ? Shape::kSquareWave
                                         : Shape::kConstant;
  const auto period = parts.size() == 4 ? config::ParseDuration(parts[3]) : std::nullopt;
  const bool is_read = parts.size() == 4 && absl::SimpleAtod(parts[1], &value.start_) &&
                       absl::SimpleAtod(parts[2], &value.end_) && period && period->count() > 0;
  if (!is_read || value.shape_ == Shape::kConstant) {
    return absl::InvalidArgumentError(
        StrCat("\"", text,
               "\" is to be a number, or function:start:end:period, of oscillate, ramp, rampreset and "
               "squarewave, as ramp:10:0:5s"));
  }
  value.period_ = *period;
  return value;
}

double FakeValue::At(nanoseconds elapsed) const {
  const double periods = static_cast<double>(elapsed.count()) / static_cast<double>(period_.count());
  const double within = periods - std::floor(periods);  // 0 to 1
  switch (shape_) {
    case Shape::kConstant:
      return start_;
    case Shape::kOscillate:
      return (start_ + end_) / 2 + (end_ - start_) / 2 * std::sin(2 * std::numbers::pi * periods);
    case Shape::kRamp:
      return start_ + std::min(periods, 1.0) * (end_ - start_);
    case Shape::kRampReset:
      return start_ + within * (end_ - start_);
    case Shape::kSquareWave:
      return within < 0.5 ? start_ : end_;
  }
  return start_;
}

// Reads one key after the other into what it is of.
struct FakeMetricsReader {
  FakeMetrics& metrics;

  Status ReadGauge(const std::string& key, const element& value) const {
    double number = 0;
    std::string_view text;
    FakeValue read(0);
    if (value.get(number) == simdjson::SUCCESS) {
      read = FakeValue(number);
    } else if (value.get(text) == simdjson::SUCCESS) {
      StatusOr<FakeValue> parsed = FakeValue::Parse(text);
      if (!parsed.ok()) return Wrong(key, StdView(parsed.status().message()));
      read = *parsed;
    } else {
      return Wrong(key, "is to be a number or a text");
    }
    if (std::min(read.start(), read.end()) < 0) return Wrong(key, "can't be negative");
    if (key == kUsage && std::max(read.start(), read.end()) > 1) return Wrong(key, "is a share, 0 to 1");
    metrics.gauges_.insert_or_assign(key, read);
    return absl::OkStatus();
  }

  Status ReadBuckets(const FakeName& of, const element& value) const {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return Wrong(of.key, "is to be a list of counts, one a bucket");
    FakeMetrics::Counts counts;
    for (const element each : list) {
      ASSIGN_OR_RETURN(counts.emplace_back(), ReadCount(of.key, each));
    }
    constexpr int64_t kTokensMax = 1'000'000'000;
    const size_t buckets = BoundsOf(of.bounds, kTokensMax).size() + 1;
    if (counts.size() > buckets) return Wrong(of.key, StrCat("has ", counts.size(), " buckets of ", buckets));
    if (counts.empty()) {
      metrics.buckets_.erase(std::string(of.key));
    } else {
      metrics.buckets_.insert_or_assign(std::string(of.key), std::move(counts));
    }
    return absl::OkStatus();
  }

  Status ReadSuccesses(const element& value) const {
    constexpr std::string_view kKey = "request-success-total";
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return Wrong(kKey, "is to be a map of reasons and counts");
    metrics.successes_.clear();
    for (const auto field : object) {
      if (std::find(kReasons.begin(), kReasons.end(), field.key) == kReasons.end())
        return Wrong(kKey, StrCat("\"", field.key, "\" is no reason to finish"));
      ASSIGN_OR_RETURN(metrics.successes_[std::string(field.key)], ReadCount(kKey, field.value));
    }
    return absl::OkStatus();
  }

  Status ReadAdapters(const element& value) const {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return Wrong("loras", "is to be a list");
    metrics.adapters_.emplace();
    for (const element each : list) RETURN_IF_ERROR(ReadAdapter(each));
    return absl::OkStatus();
  }

  // An object, or its text: files of flags have the latter.
  Status ReadAdapter(element of) const {
    kube::JsonReader reader;
    std::string_view text;
    if (of.get(text) == simdjson::SUCCESS) {
      const auto object = reader.Read(text);
      if (!object.ok()) return Wrong("loras", StdView(object.status().message()));
      of = *object;
    }
    FakeAdapters adapters{std::string(kube::TextAt(of, "running")), std::string(kube::TextAt(of, "waiting"))};
    if (of["timestamp"].get(adapters.unix_seconds) != simdjson::SUCCESS)
      return Wrong("loras", "each has running and waiting, which are texts, and timestamp, in seconds since 1970");
    metrics.adapters_->push_back(std::move(adapters));
    return absl::OkStatus();
  }

  Status Read(const std::string& key, const element& value) const {
    for (const FakeName& gauge : kGauges) {
      if (gauge.key == key) return ReadGauge(key, value);
    }
    for (const FakeName& histogram : kHistograms) {
      if (histogram.key == key) return ReadBuckets(histogram, value);
    }
    for (const FakeTotal& total : kTotals) {
      if (total.key != key) continue;
      ASSIGN_OR_RETURN(metrics.totals_[key], ReadCount(key, value));
      return absl::OkStatus();
    }
    if (key == "request-success-total") return ReadSuccesses(value);
    return key == "loras" ? ReadAdapters(value) : Wrong(key, "is no metric that can be faked");
  }
};

StatusOr<FakeMetrics> FakeMetrics::Parse(std::string_view json) {
  FakeMetrics metrics;
  RETURN_IF_ERROR(metrics.Change(json));
  return metrics;
}

Status FakeMetrics::Change(std::string_view json) {
  kube::JsonReader reader;
  ASSIGN_OR_RETURN(const element root, reader.Read(json));
  simdjson::dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return absl::InvalidArgumentError("is to be a JSON object");
  for (const auto field : object) {
    if (field.value.is_null()) continue;
    const std::string key(field.key);
    RETURN_IF_ERROR(FakeMetricsReader{*this}.Read(key, field.value));
    given_.insert_or_assign(key, simdjson::minify(field.value));
  }
  return absl::OkStatus();
}

std::string FakeMetrics::Json() const {
  std::string json;
  JsonWriter writer(json);
  writer.BeginObject();
  for (const auto& [key, value] : given_) {
    writer.Key(key);
    writer.Raw(value);
  }
  writer.EndObject();
  return json;
}

std::optional<uint64_t> FakeMetrics::Total(const std::string& key, const Counts& of, int64_t model_tokens_max) const {
  if (const auto given = totals_.find(key); given != totals_.end()) return given->second;
  if (of.empty()) return std::nullopt;
  const std::vector<double> bounds = TokenCountBounds(model_tokens_max);
  uint64_t total = 0;
  for (size_t i = 0; i < of.size(); ++i) total += of[i] * static_cast<uint64_t>(ValueOf(bounds, i));
  return total;
}

std::string FakeMetrics::Render(const FakeMetricsFacts& facts, nanoseconds elapsed, double unix_seconds) const {
  std::string page;
  const std::string model = Escaped(facts.model_name);
  for (const FakeName& gauge : kGauges) {
    const auto value = gauges_.find(std::string(gauge.key));
    if (value == gauges_.end()) continue;
    const double now = value->second.At(elapsed);
    AppendType(page, gauge.name, "gauge");
    // Requests are whole.
    StrAppend(page, gauge.name, "{model_name=\"", model, "\"} ", gauge.key == kUsage ? now : std::trunc(now), "\n");
  }
  for (const FakeName& histogram : kHistograms) {
    const auto counts = buckets_.find(std::string(histogram.key));
    if (counts == buckets_.end()) continue;
    AppendHistogram(page, histogram.name, model, BoundsOf(histogram.bounds, facts.model_tokens_max), counts->second);
  }
  for (const FakeTotal& total : kTotals) {
    const auto of = buckets_.find(std::string(total.of));
    const auto value =
        Total(std::string(total.key), of == buckets_.end() ? Counts() : of->second, facts.model_tokens_max);
    if (!value) continue;
    AppendType(page, total.name, "counter");
    StrAppend(page, total.name, "{model_name=\"", model, "\"} ", *value, "\n");
  }
  if (!successes_.empty()) AppendType(page, "vllm:request_success_total", "counter");
  for (const auto& [reason, count] : successes_) {
    StrAppend(page, "vllm:request_success_total{model_name=\"", model, "\",finished_reason=\"", reason, "\"} ", count,
              "\n");
  }
  AppendType(page, "vllm:lora_requests_info", "gauge");
  const std::vector<FakeAdapters> none = {{.unix_seconds = unix_seconds}};
  for (const FakeAdapters& adapters : adapters_ && !adapters_->empty() ? *adapters_ : none) {
    StrAppend(page, "vllm:lora_requests_info{max_lora=\"", facts.loras_max, "\",waiting_lora_adapters=\"",
              Escaped(adapters.waiting), "\",running_lora_adapters=\"", Escaped(adapters.running), "\"} ");
    StrAppend(page, std::llround(adapters.unix_seconds), "\n");
  }
  return page;
}

}  // namespace spanloom::llmd::simulator
