// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/options.h"

#include <absl/time/time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::cli::tracegen {
namespace {

constexpr uint64_t kTracesMax = 10'000'000'000;
constexpr double kRateMax = 10'000'000;  // traces a second
constexpr uint64_t kSpansPerRequestMax = 65'536;
constexpr uint64_t kConcurrencyMax = 1'024;
constexpr int kRetriesMax = 100;
constexpr std::chrono::nanoseconds kDurationMax = std::chrono::hours(24 * 365);
constexpr std::chrono::nanoseconds kTimeoutMax = std::chrono::minutes(10);

constexpr const char* kWords = "Sends generated traces over OTLP and reports what became of them.";
constexpr const char* kName = "spanloom tracegen";
constexpr std::string_view kScheme = "http://";

// The options as the user wrote them.
struct RawOptions {
  std::string endpoint;
  std::string protocol = "grpc";
  std::string shape = "llmd";
  std::string duration = "30s";
  std::string spread = "1m";
  std::string start_time;
  std::string compression = "none";
  std::string timeout = "10s";
  std::string progress = "auto";
  std::string report = "text";
  double rate = 0;
};

Status Invalid(std::string_view option, std::string_view problem) {
  return absl::InvalidArgumentError(AbslView(StrCat(option, ": ", problem)));
}

StatusOr<std::chrono::nanoseconds> ParseDuration(std::string_view option, const std::string& text,
                                                 std::chrono::nanoseconds max) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
    return Invalid(option, StrCat("\"", text, "\" is not a duration such as 500ms, 30s or 1h30m"));
  }
  if (duration > absl::FromChrono(max)) {
    return Invalid(option, StrCat("\"", text, "\" is more than ", absl::FormatDuration(absl::FromChrono(max))));
  }
  return absl::ToChronoNanoseconds(duration);
}

StatusOr<int64_t> ParseTime(std::string_view option, const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time < absl::UnixEpoch()) {
    return Invalid(option, StrCat("\"", text, "\" is not a time such as 2026-01-31T12:00:00Z"));
  }
  if (time > absl::UnixEpoch() + absl::Hours(24 * 365 * 200)) return Invalid(option, "must be before the year 2169");
  return absl::ToUnixNanos(time);
}

// A cleartext "host:port"; "http://" before it is allowed, since that is what other tools are given.
StatusOr<std::string> ParseEndpoint(std::string endpoint, Protocol protocol) {
  if (endpoint.empty()) return protocol == Protocol::kGrpc ? "localhost:4317" : "localhost:4318";
  if (endpoint.starts_with("https://")) return Invalid("--endpoint", "TLS is not supported; give host:port");
  if (endpoint.starts_with(kScheme)) endpoint.erase(0, kScheme.size());
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.find('/') != std::string::npos) {
    return Invalid("--endpoint", StrCat("\"", endpoint, "\" has a path; give host:port"));
  }
  return endpoint;
}

void DeclareOptions(CLI::App& app, RawOptions& raw, TracegenOptions& options) {
  app.footer(
      "Exit status: 0 if every span sent was acknowledged, 1 if one was refused or lost, 2 for a wrong command line.");
  app.add_option("--endpoint", raw.endpoint, "host:port of the receiver [localhost:4317, or :4318 for http]");
  app.add_option("--protocol", raw.protocol, "OTLP over this protocol, with protobuf bodies")
      ->check(CLI::IsMember({"grpc", "http"}))
      ->capture_default_str();
  app.add_option(
         "--shape", raw.shape,
         "llmd: prefill/decode requests of llm-d v0.6, 11 spans each; llmd-prefix: with the precise prefix-cache "
         "scorer, 19 spans; llmd-head: llm-d of August 2026, 26 spans; plain: a web shop, 6 spans; load: what stores "
         "are "
         "measured with, whole llm-d like traces of 6 spans that are made at millions of spans a second")
      ->check(CLI::IsMember({"llmd", "llmd-prefix", "llmd-head", "plain", "load"}))
      ->capture_default_str();
  app.add_option("--traces", options.traces, "Number of traces [100, or what --rate makes in --duration]")
      ->check(CLI::Range(uint64_t{1}, kTracesMax));
  app.add_option("--rate", raw.rate, "Traces a second [as fast as the receiver takes them]");
  app.add_option("--duration", raw.duration, "How long to send at --rate, if --traces does not say")
      ->capture_default_str();
  app.add_option("--spread", raw.spread, "Without --rate: the traces end at times spread over this long")
      ->capture_default_str();
  app.add_option("--start-time", raw.start_time,
                 "When the first trace ends, as 2026-01-31T12:00:00Z; with --seed a run is repeated byte for byte "
                 "[so that the traces end now]");
  app.add_option("--spans-per-request", options.spans_per_request, "Spans in one export request at most")
      ->check(CLI::Range(uint64_t{1}, kSpansPerRequestMax))
      ->capture_default_str();
  app.add_option("--concurrency", options.concurrency, "Export requests under way at most")
      ->check(CLI::Range(uint64_t{1}, kConcurrencyMax))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Seed of everything random [a new one each time]");
  app.add_option("--compression", raw.compression, "Of the request bodies")
      ->check(CLI::IsMember({"none", "gzip"}))
      ->capture_default_str();
  app.add_option("--timeout", raw.timeout, "Of one attempt to deliver a request")->capture_default_str();
  app.add_option("--retries", options.retries, "Further attempts where the receiver's answer allows them")
      ->check(CLI::Range(0, kRetriesMax))
      ->capture_default_str();
  app.add_option("--progress", raw.progress,
                 "On standard error. auto: a bar on a terminal, else a line every 5 s; always: a bar")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_option("--report", raw.report, "Form of the report on standard output")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
}

// --rate, --duration, --traces: which of them decide how many.
Status ConvertAmount(const CLI::App& app, const RawOptions& raw, TracegenOptions& options) {
  const bool has_traces = app.count("--traces") > 0;
  if (app.count("--rate") == 0) {
    if (app.count("--duration") > 0) return Invalid("--duration", "needs --rate");
    return absl::OkStatus();
  }
  if (!(raw.rate > 0 && raw.rate <= kRateMax))
    return Invalid("--rate", StrCat("must be above 0 and at most ", kRateMax));
  if (app.count("--spread") > 0) return Invalid("--spread", "cannot be combined with --rate, which sets the times");
  options.rate = raw.rate;
  if (has_traces && app.count("--duration") == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::chrono::nanoseconds duration, ParseDuration("--duration", raw.duration, kDurationMax));
  const double by_duration = std::round(raw.rate * std::chrono::duration<double>(duration).count());
  if (by_duration < 1) return Invalid("--duration", "is too short for one trace at this --rate");
  const auto traces = static_cast<uint64_t>(std::min(by_duration, static_cast<double>(kTracesMax)));
  options.traces = has_traces ? std::min(options.traces, traces) : traces;
  return absl::OkStatus();
}

Status ConvertTimes(const RawOptions& raw, TracegenOptions& options) {
  ASSIGN_OR_RETURN(options.spread, ParseDuration("--spread", raw.spread, kDurationMax));
  ASSIGN_OR_RETURN(const std::chrono::nanoseconds timeout, ParseDuration("--timeout", raw.timeout, kTimeoutMax));
  options.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(timeout);
  if (options.timeout.count() == 0) return Invalid("--timeout", "must be at least 1ms");
  if (raw.start_time.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(options.start_unix_ns, ParseTime("--start-time", raw.start_time));
  return absl::OkStatus();
}

StatusOr<TracegenOptions> Convert(const CLI::App& app, const RawOptions& raw, TracegenOptions options) {
  options.protocol = raw.protocol == "grpc" ? Protocol::kGrpc : Protocol::kHttp;
  ASSIGN_OR_RETURN(options.endpoint, ParseEndpoint(raw.endpoint, options.protocol));
  ASSIGN_OR_RETURN(options.shape, ParseShapeKind(raw.shape));
  ASSIGN_OR_RETURN(options.compression, net::ParseCompression(raw.compression));
  RETURN_IF_ERROR(ConvertAmount(app, raw, options));
  RETURN_IF_ERROR(ConvertTimes(raw, options));
  if (app.count("--seed") == 0) options.seed = Rng::SystemSeed();
  options.progress = raw.progress == "auto"     ? ProgressMode::kAuto
                     : raw.progress == "always" ? ProgressMode::kAlways
                                                : ProgressMode::kNever;
  options.report = raw.report == "json" ? ReportFormat::kJson : ReportFormat::kText;
  return options;
}

}  // namespace

reference::CommandDoc Describe() {
  CLI::App app(kWords, kName);
  RawOptions raw;
  TracegenOptions options;
  DeclareOptions(app, raw, options);
  return reference::ReadCommand(app);
}

StatusOr<std::variant<TracegenOptions, HelpText>> ParseOptions(int argc, const char* const* argv) {
  CLI::App app(kWords, kName);
  RawOptions raw;
  TracegenOptions options;
  DeclareOptions(app, raw, options);
  // CLI11 reports by exceptions; they end here.
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return HelpText{app.help()};
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  ASSIGN_OR_RETURN(TracegenOptions converted, Convert(app, raw, options));
  return converted;
}

}  // namespace spanloom::cli::tracegen
