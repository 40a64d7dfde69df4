// SPDX-License-Identifier: Apache-2.0

#include "doctor/mixed_request_rules.h"

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/text.h"
#include "doctor/count_of.h"
#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

namespace span_name = semconv::span_name;

// The scheduler's span above `span`, or it itself; nullptr if there is none.
const SeenSpan* GatewayAbove(const SeenSpan& span, const SpansById& spans) {
  const SeenSpan* above = &span;
  for (size_t steps = 0; steps <= spans.size(); ++steps) {  // ids that go round in a circle end it too
    if (above->name == span_name::kGatewayRequest) return above;
    const auto parent = spans.find(above->parent);
    if (parent == spans.end()) return nullptr;
    above = parent->second;
  }
  return nullptr;
}

struct Mixed {
  size_t count = 0;
  std::string example = {};  // of the first: its trace, and the two requests
};

// Engines' spans in a trace, below a scheduler that speaks of another request.
void Count(const SeenTrace& trace, std::map<std::string_view, Mixed>& by_service) {
  const SpansById spans = IndexSpans(trace);
  std::map<const SeenSpan*, std::set<std::string_view>> requests;  // that a scheduler's own spans name
  for (const SeenSpan& span : trace.spans) {
    const SeenSpan* gateway = span.request_id.empty() ? nullptr : GatewayAbove(span, spans);
    if (gateway != nullptr && gateway->service == span.service) requests[gateway].insert(span.request_id);
  }
  for (const SeenSpan& span : trace.spans) {
    if (span.name != span_name::kLlmRequest || span.request_id.empty()) continue;
    const auto named = requests.find(GatewayAbove(span, spans));
    if (named == requests.end() || named->second.contains(span.request_id)) continue;
    Mixed& mixed = by_service[span.service];
    if (mixed.count++ == 0) {
      mixed.example = StrCat("trace ", trace.id, ": request ", span.request_id, " below ", *named->second.begin());
    }
  }
}

}  // namespace

void CheckMixedRequests(const TraceSample& sample, Findings& findings) {
  std::map<std::string_view, Mixed> by_service;
  for (const SeenTrace& trace : sample.traces) Count(trace, by_service);
  for (const auto& [service, mixed] : by_service) {
    findings.Error(
        "live-request-mixed", {sample.source, 0},
        StrCat(CountOf(mixed.count, "span"), " of ", service, " came in the trace of another request (", mixed.example,
               "): the engine mixes contexts up, as some versions of vLLM did, or something "
               "between gives requests new ids; its traces tell nothing of the request they are in"));
  }
}

}  // namespace spanloom::doctor
