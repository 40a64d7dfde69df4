// SPDX-License-Identifier: Apache-2.0

#include "doctor/trace_rules.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "doctor/count_of.h"
#include "doctor/counted.h"
#include "doctor/mixed_request_rules.h"
#include "doctor/noise_rules.h"
#include "doctor/proxy_trace_rules.h"
#include "doctor/split_request_rules.h"

namespace spanloom::doctor {
namespace {

using Pair = std::pair<std::string, std::string>;  // of services: the parent's, the child's

constexpr int64_t kSkewUsMin = 1'000;  // below it is the clocks' resolution and the network's jitter; guess
constexpr size_t kRootsMin = 20;       // of a service, before its sampler is guessed at
// A share is told apart from another if the chance to be wrong is below 1 in 10^6: none of n ids above the share s has
// the chance s^n.
constexpr double kChanceMax = 1e-6;
constexpr std::string_view kMarkErrors = R"(processors:
  transform/errors:
    error_mode: ignore
    trace_statements:
      - set(span.status.code, STATUS_CODE_ERROR) where Int(span.attributes["http.response.status_code"]) >= 500
      - set(span.status.code, STATUS_CODE_ERROR) where Int(span.attributes["http.status_code"]) >= 500)";

config::Source In(const TraceSample& sample) {
  return {sample.source, 0};
}

void CheckServices(const TraceSample& sample, Findings& findings) {
  if (sample.services.empty()) {
    return findings.Error("live-no-services", In(sample),
                          "the backend knows no service: no span has arrived; look at the exporters' endpoint "
                          "(http://otel-collector:4317) and whether tracing is on");
  }
  std::vector<std::string> absent;
  for (const std::string& name : sample.expected) {
    if (std::find(sample.services.begin(), sample.services.end(), name) == sample.services.end())
      absent.push_back(name);
  }
  if (!absent.empty()) {
    findings.Error(
        "live-service-absent", In(sample),
        StrCat("no spans of ", absl::StrJoin(absent, ", "), "; there are ", absl::StrJoin(sample.services, ", ")));
  }
  for (const std::string& name : sample.services) {
    if (!name.starts_with("unknown_service")) continue;
    findings.Warning("live-unknown-service", In(sample),
                     StrCat(name, ": a program does not say its name; set OTEL_SERVICE_NAME"),
                     "- name: OTEL_SERVICE_NAME\n  value: \"vllm-decode\"");
  }
}

struct Tally {
  std::map<std::string, Counted> orphans;  // by the orphan's service
  std::map<Pair, Counted> early;           // children that begin before, or end after, the call that they serve
  Counted rootless;
};

void Count(const SeenTrace& trace, Tally& tally) {
  const SpansById by_id = IndexSpans(trace);
  bool has_root = false;
  for (const SeenSpan& span : trace.spans) {
    has_root = has_root || span.parent.empty();
    if (span.parent.empty()) continue;
    const auto parent = by_id.find(span.parent);
    if (parent == by_id.end()) {
      tally.orphans[span.service].Add(trace.id);
      continue;
    }
    const SeenSpan& caller = *parent->second;
    if (caller.service == span.service) continue;
    // The clocks differ by as much at least.
    const int64_t skew_us =
        std::max(caller.start_us - span.start_us, caller.kind == "client" ? span.end_us - caller.end_us : 0);
    if (skew_us >= kSkewUsMin) tally.early[{caller.service, span.service}].Add(trace.id, skew_us);
  }
  if (!has_root && !trace.spans.empty()) tally.rootless.Add(trace.id);
}

int64_t LastEndUs(const SeenTrace& trace) {
  int64_t last_us = 0;
  for (const SeenSpan& span : trace.spans) last_us = std::max(last_us, span.end_us);
  return last_us;
}

void CheckTrees(const TraceSample& sample, Findings& findings) {
  Tally tally;
  for (const SeenTrace& trace : sample.traces) {
    if (LastEndUs(trace) <= sample.settled_before_us) Count(trace, tally);
  }
  for (const auto& [service, orphans] : tally.orphans) {
    findings.Warning(
        "live-orphans", In(sample),
        StrCat(CountOf(orphans.count, "span"), " of ", service, " came without the parent (trace ", orphans.example,
               "): whoever made that one does not export, samples otherwise, or a filter dropped it"));
  }
  for (const auto& [pair, early] : tally.early) {
    findings.Warning(
        "live-clock-skew", In(sample),
        StrCat(CountOf(early.count, "span"), " of ", pair.second, " lay outside the call from ", pair.first,
               ", by up to ", absl::StrFormat("%.1f", static_cast<double>(early.worst_us) / 1e3), " ms (trace ",
               early.example, "): the clocks of their nodes differ; look at NTP or chrony"));
  }
  if (tally.rootless.count > 0) {
    findings.Warning(
        "live-no-root", In(sample),
        StrCat("no root in ", tally.rootless.count, " of ", CountOf(sample.traces.size(), "trace"), " (trace ",
               tally.rootless.example, "): the first component, a gateway or the client, does not export its spans"));
  }
}

// Where a trace id lies in [0, 1) for a sampler by share: the SDKs for Go and Python keep those whose last 64 bits are
// below the share of 2^64.
double PlaceOf(const std::string& id) {
  uint64_t low = 0;
  const std::string_view digits = std::string_view(id).substr(id.size() - std::min<size_t>(id.size(), 16));
  if (!absl::SimpleHexAtoi(AbslView(digits), &low)) return 1;
  return std::ldexp(static_cast<double>(low), -64);
}

// Services that begin traces, and the share that their ids lie below: with a sampler of 10 % all do below 0.1.
void CheckSamplers(const TraceSample& sample, Findings& findings) {
  struct Roots {
    size_t count = 0;
    double highest = 0;
  };
  std::map<std::string, Roots> roots;
  for (const SeenTrace& trace : sample.traces) {
    for (const SeenSpan& span : trace.spans) {
      if (!span.parent.empty()) continue;
      Roots& of_service = roots[span.service];
      ++of_service.count;
      of_service.highest = std::max(of_service.highest, PlaceOf(trace.id));
    }
  }
  std::vector<std::pair<std::string, Roots>> sampled;
  std::vector<std::string> whole;
  for (const auto& [service, seen] : roots) {
    if (seen.count < kRootsMin) continue;
    if (std::pow(seen.highest, static_cast<double>(seen.count)) < kChanceMax) {
      sampled.emplace_back(service, seen);
    } else {
      whole.push_back(service);
    }
  }
  if (sampled.empty() || whole.empty()) return;
  for (const auto& [service, seen] : sampled) {
    findings.Warning("live-sampler-differs", In(sample),
                     StrCat(service, " keeps about ", absl::StrFormat("%.0f", seen.highest * 100),
                            " % of the traces that it begins (", seen.count, " seen, all ids below), ",
                            absl::StrJoin(whole, ", "), " all: their samplers differ"));
  }
}

// Of an HTTP server or client, by the conventions: 5xx is an error of both. What a server answers with 4xx is none.
void CheckErrorStatus(const TraceSample& sample, Findings& findings) {
  std::map<std::string, Counted> unmarked;  // by service
  for (const SeenTrace& trace : sample.traces) {
    for (const SeenSpan& span : trace.spans) {
      if (span.http_status >= 500 && !span.is_error) unmarked[span.service].Add(trace.id);
    }
  }
  for (const auto& [service, spans] : unmarked) {
    findings.Warning(
        "live-errors-unmarked", In(sample),
        StrCat(CountOf(spans.count, "span"), " of ", service, " had a status of 5xx and no error (trace ",
               spans.example, "): searches for errors and error rates miss them; the collector can mark them"),
        std::string(kMarkErrors));
  }
}

}  // namespace

void CheckTraces(const TraceSample& sample, Findings& findings) {
  CheckServices(sample, findings);
  CheckNoise(sample, findings);
  CheckTrees(sample, findings);
  CheckSamplers(sample, findings);
  CheckErrorStatus(sample, findings);
  CheckProxyTraces(sample, findings);
  CheckSplitRequests(sample, findings);
  CheckMixedRequests(sample, findings);
}

}  // namespace spanloom::doctor
