// SPDX-License-Identifier: Apache-2.0

#include "doctor/split_request_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "doctor/count_of.h"
#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;  // services: of the first trace, and of a later one

// What of a trace tells whether another belongs to it.
struct Part {
  const SeenTrace* trace = nullptr;
  std::set<std::string_view> services = {};
  const SeenSpan* first = nullptr;  // the one that starts first
  bool has_scheduler = false;
  bool begins_in_envoy = false;  // its client sent no traceparent

  [[nodiscard]] bool Shares(const Part& other) const {
    return std::any_of(services.begin(), services.end(),
                       [&](std::string_view service) { return other.services.contains(service); });
  }
};

bool IsEarlier(const Part& a, const Part& b) {
  return std::tie(a.first->start_us, a.trace->id) < std::tie(b.first->start_us, b.trace->id);
}

Part PartOf(const SeenTrace& trace) {
  Part part{.trace = &trace};
  for (const SeenSpan& span : trace.spans) {
    part.services.insert(span.service);
    if (part.first == nullptr || span.start_us < part.first->start_us) part.first = &span;
    part.has_scheduler = part.has_scheduler || span.name == semconv::span_name::kGatewayRequest;
    part.begins_in_envoy =
        part.begins_in_envoy || (span.parent.empty() && span.name == semconv::span_name::kEnvoyIngress);
  }
  return part;
}

struct Split {
  std::set<std::string_view> requests = {};
  std::string example = {};  // of the first of them
  bool has_scheduler = false;
  bool begins_in_envoy = false;
};

// Why, as far as the names of the spans tell.
std::string_view CauseOf(const Split& split) {
  if (split.begins_in_envoy) {
    return "Envoy writes its trace context only after it has asked the scheduler; have the client send a traceparent, "
           "or take Envoy's tracing away";
  }
  if (split.has_scheduler) {
    return "schedulers up to v0.6 begin a trace of their own although the caller sent a traceparent; a newer image "
           "reads it";
  }
  return "one of them does not pass its caller's traceparent on, or does not read it";
}

class SplitRequests {
 public:
  void Add(const SeenTrace& trace) {
    std::set<std::string_view> ids;
    for (const SeenSpan& span : trace.spans) {
      if (!span.request_id.empty()) ids.insert(span.request_id);
    }
    if (ids.empty()) return;
    const Part part = PartOf(trace);
    for (const std::string_view id : ids) parts_[id].push_back(part);
  }

  void Report(const config::Source& source, Findings& findings) {
    for (auto& [id, parts] : parts_) Compare(id, parts);
    for (const auto& [pair, split] : splits_) {
      findings.Warning("live-request-split", source,
                       StrCat(CountOf(split.requests.size(), "request"), " came in two traces, of ", pair.first,
                              " and of ", pair.second, " (", split.example, "): ", CauseOf(split)));
    }
  }

 private:
  void Compare(std::string_view id, std::vector<Part>& parts) {
    std::sort(parts.begin(), parts.end(), IsEarlier);
    const Part& first = parts.front();
    for (const Part& part : parts) {
      if (part.Shares(first)) continue;
      Split& split = splits_[{first.first->service, part.first->service}];
      if (split.requests.empty()) split.example = StrCat(first.trace->id, " and ", part.trace->id, ", request ", id);
      split.requests.insert(id);
      split.begins_in_envoy = split.begins_in_envoy || first.begins_in_envoy || part.begins_in_envoy;
      split.has_scheduler = split.has_scheduler || first.has_scheduler || part.has_scheduler;
    }
  }

  std::map<std::string_view, std::vector<Part>> parts_;  // by the request's id
  std::map<Pair, Split> splits_;
};

}  // namespace

void CheckSplitRequests(const TraceSample& sample, Findings& findings) {
  SplitRequests requests;
  for (const SeenTrace& trace : sample.traces) requests.Add(trace);
  requests.Report({sample.source, 0}, findings);
}

}  // namespace spanloom::doctor
