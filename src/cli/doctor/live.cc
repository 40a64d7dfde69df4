// SPDX-License-Identifier: Apache-2.0

#include "cli/doctor/live.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "doctor/own_metrics_rules.h"
#include "doctor/trace_rules.h"
#include "kube/resource.h"
#include "net/client.h"
#include "net/loop.h"
#include "net/waiting_request.h"

namespace spanloom::cli::doctor {
namespace {

using spanloom::doctor::Findings;
using spanloom::doctor::SeenTrace;
using spanloom::doctor::TraceSample;

constexpr std::chrono::seconds kAnswerMax{30};
constexpr size_t kAnswerBytesMax = 256 << 20;  // a thousand traces of vLLM's are 20 MiB; guess

// The body of a GET that is answered 200.
StatusOr<std::string> Get(net::Loop& loop, const std::string& endpoint, const std::string& path,
                          const std::string& query) {
  net::HttpClientOptions options;
  options.endpoint = endpoint;
  options.body_bytes_max = kAnswerBytesMax;
  net::HttpRequest request{.method = "GET", .path = path, .query = query};
  ASSIGN_OR_RETURN(const net::HttpResponse response,
                   net::SendAndWait(loop, std::move(options), std::move(request), kAnswerMax));
  if (response.status == 200) return std::string(response.body.view());
  return absl::UnavailableError(StrCat(path, " was answered ", response.status));
}

StatusOr<TraceSample> Sample(net::Loop& loop, const LiveOptions& options) {
  TraceSample sample;
  sample.source = options.backend;
  sample.expected = options.expected;
  const int64_t now_us = Clock::System().UnixNs() / 1'000;
  // Jaeger's search has no `lookback` of its own: its page makes these two of it.
  const int64_t lookback_us = std::min(now_us, options.lookback.count() / 1'000);
  sample.settled_before_us = now_us - int64_t{options.settle_seconds} * 1'000'000;
  ASSIGN_OR_RETURN(const std::string services, Get(loop, options.backend, "/api/services", ""));
  ASSIGN_OR_RETURN(sample.services, spanloom::doctor::ReadServices(services));
  std::set<std::string> seen;
  for (const std::string& service : sample.services) {
    const std::string query = StrCat("service=", kube::PercentEncode(service), "&limit=", options.traces,
                                     "&start=", now_us - lookback_us, "&end=", now_us);
    ASSIGN_OR_RETURN(const std::string answer, Get(loop, options.backend, "/api/traces", query));
    ASSIGN_OR_RETURN(std::vector<SeenTrace> traces, spanloom::doctor::ReadTraces(answer));
    for (SeenTrace& trace : traces) {
      if (seen.insert(trace.id).second) sample.traces.push_back(std::move(trace));
    }
  }
  return sample;
}

}  // namespace

std::vector<spanloom::doctor::Finding> ExamineLive(const LiveOptions& options) {
  net::LoopPool loops(1);
  Findings findings;
  const auto unanswered = [&](const std::string& endpoint, const Status& status) {
    findings.Error("live-no-answer", {endpoint, 0},
                   StrCat("no answer: ", status.message(), "; is it there, and is its port forwarded?"));
  };
  if (options.backend != kNobody) {
    const StatusOr<TraceSample> sample = Sample(loops.At(0), options);
    if (sample.ok()) CheckTraces(*sample, findings);
    if (!sample.ok()) unanswered(options.backend, sample.status());
  }
  if (options.metrics != kNobody) {
    const StatusOr<std::string> page = Get(loops.At(0), options.metrics, "/metrics", "");
    if (page.ok()) spanloom::doctor::CheckMetricsPage(*page, options.metrics, findings);
    if (!page.ok()) unanswered(options.metrics, page.status());
  }
  return std::move(findings).Take();
}

}  // namespace spanloom::cli::doctor
