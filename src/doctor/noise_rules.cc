// SPDX-License-Identifier: Apache-2.0

#include "doctor/noise_rules.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "doctor/count_of.h"
#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

namespace span_name = semconv::span_name;

constexpr size_t kRootsMin = 20;  // of a service, before its noise is spoken of; guess

// For the collector, in the names of all versions.
constexpr std::string_view kDropKvEvents = R"(processors:
  filter/kv_events:
    error_mode: ignore
    traces:
      span:
        - IsMatch(name, "^(llm_d[.]kv_cache[.]index[.]|index_)(add|evict)$")
        - IsMatch(name, "^events_(receive|process|decode)$"))";
constexpr std::string_view kDropScrapes = R"(processors:
  filter/scrapes:
    error_mode: ignore
    traces:
      span:
        - IsMatch(name, "GET /(metrics|health)$")
        - name == "HTTP GET" and kind == SPAN_KIND_CLIENT and IsMatch(attributes["url.full"], "/metrics$"))";

bool IsGet(const SeenSpan& span) {
  return span.name == "GET" || span.name == "HTTP GET" || span.name.starts_with("GET ") ||
         span.name.ends_with("GET /metrics") || span.name.ends_with("GET /health");
}

// Services whose spans are scrapes and probes alone: their requests are not traced. Returns them.
std::set<std::string> CheckOnlyGets(const TraceSample& sample, Findings& findings) {
  std::map<std::string, std::pair<size_t, size_t>> spans;  // of a service: all, and those of a GET
  for (const SeenTrace& trace : sample.traces) {
    for (const SeenSpan& span : trace.spans) {
      auto& [all, gets] = spans[span.service];
      ++all;
      gets += IsGet(span) ? 1 : 0;
    }
  }
  std::set<std::string> only_gets;
  for (const auto& [service, count] : spans) {
    if (count.first != count.second) continue;
    only_gets.insert(service);
    findings.Warning("live-only-gets", {sample.source, 0},
                     StrCat(service, ": nothing but scrapes and probes (GET) in ", CountOf(count.first, "span"),
                            "; its requests are not traced: the image is too old, or tracing is off but for HTTP"));
  }
  return only_gets;
}

bool IsOfKvEvents(const SeenSpan& span) {
  const std::string_view name = span.name;
  return name == span_name::kKvIndexAdd || name == span_name::kKvIndexEvict || name == span_name::kIndexAdd ||
         name == span_name::kIndexEvict || name == span_name::kEventsReceive || name == span_name::kEventsProcess;
}

// Traces that are of no request, and crowd those of requests out of a backend.
struct Noise {
  std::string_view rule;
  bool (*is_root)(const SeenSpan& span);
  std::string_view what;  // "... are <what>"
  std::string_view fix;
};

constexpr std::array<Noise, 2> kNoises = {
    {{"live-kv-events", IsOfKvEvents,
      "of KV events, one for each block that is stored or evicted: they crowd out those of requests; drop them in the "
      "collector, or set tracing: false in the scheduler's kvEventsConfig if its image knows it",
      kDropKvEvents},
     {"live-scrapes", IsGet,
      "scrapes and probes (GET), of which schedulers make 20 a second for each pod: they crowd out those of requests; "
      "drop both halves of a scrape in the collector",
      kDropScrapes}}};

// Of services but those that have been spoken of.
void CheckOne(const TraceSample& sample, const Noise& noise, const std::set<std::string>& spoken_of,
              Findings& findings) {
  struct Begun {
    size_t all = 0;
    size_t of_noise = 0;
    std::string_view example = {};  // the first of the noise
  };
  std::map<std::string, Begun> begun;  // traces, by the service that begins them
  for (const SeenTrace& trace : sample.traces) {
    for (const SeenSpan& span : trace.spans) {
      if (!span.parent.empty()) continue;
      Begun& of_service = begun[span.service];
      ++of_service.all;
      if (noise.is_root(span) && of_service.of_noise++ == 0) of_service.example = trace.id;
    }
  }
  for (const auto& [service, traces] : begun) {
    if (spoken_of.contains(service)) continue;
    if (traces.of_noise < kRootsMin || traces.of_noise * 2 < traces.all) continue;
    findings.Warning(noise.rule, {sample.source, 0},
                     StrCat(traces.of_noise, " of ", CountOf(traces.all, "trace"), " that ", service,
                            " begins (one is ", traces.example, ") are ", noise.what),
                     std::string(noise.fix));
  }
}

}  // namespace

void CheckNoise(const TraceSample& sample, Findings& findings) {
  const std::set<std::string> only_gets = CheckOnlyGets(sample, findings);
  for (const Noise& noise : kNoises) CheckOne(sample, noise, only_gets, findings);
}

}  // namespace spanloom::doctor
