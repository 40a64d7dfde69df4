// SPDX-License-Identifier: Apache-2.0

#include "doctor/proxy_trace_rules.h"

#include <map>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "doctor/count_of.h"
#include "doctor/counted.h"
#include "semconv/names.h"

namespace spanloom::doctor {
namespace {

namespace span_name = semconv::span_name;

bool IsProxyRequest(const SeenSpan& span) {
  return span.name == span_name::kProxyRequest || span.name == span_name::kForwardRequest;
}

bool IsPrefillLeg(const SeenSpan& span) {
  return span.name == span_name::kProxyPrefill || span.name == span_name::kPrefill;
}

bool IsDecodeLeg(const SeenSpan& span) {
  return span.name == span_name::kProxyDecode || span.name == span_name::kDecode;
}

// The proxy's span that its caller is the parent of.
const SeenSpan& OutermostOf(const SeenSpan& request, const SpansById& spans) {
  const SeenSpan* outermost = &request;
  for (size_t steps = 0; steps < spans.size(); ++steps) {  // ids that go round in a circle end it too
    const auto parent = spans.find(outermost->parent);
    if (parent == spans.end() || parent->second->service != request.service) break;
    outermost = parent->second;
  }
  return *outermost;
}

class ProxyTraces {
 public:
  void Add(const SeenTrace& trace) {
    const SpansById spans = IndexSpans(trace);
    for (const SeenSpan& span : trace.spans) {
      if (IsProxyRequest(span)) FindEnginesBeside(trace, OutermostOf(span, spans));
      if (!IsDecodeLeg(span)) continue;
      const auto parent = spans.find(span.parent);
      if (parent != spans.end() && IsPrefillLeg(*parent->second)) nested_[span.service].Add(trace.id);
    }
  }

  void Report(const config::Source& source, Findings& findings) const {
    for (const auto& [services, beside] : beside_) {
      findings.Warning("live-engine-beside-proxy", source,
                       StrCat(CountOf(beside.count, "span"), " of ", services.second, " came beside those of ",
                              services.first, ", not below (trace ", beside.example,
                              "): it hands its caller's traceparent on instead of its own, as routing proxies up to "
                              "v0.6 do; a newer image, or spanloom routing-proxy, puts engines below the leg that "
                              "called them"));
    }
    for (const auto& [service, nested] : nested_) {
      findings.Note(
          "live-decode-under-prefill", source,
          StrCat(CountOf(nested.count, "decode span"), " of ", service, " lay below prefill (trace ", nested.example,
                 "), which had ended before: llm-d's routing proxy has it so, and decode counts as a part of "
                 "prefill wherever durations of children are added up; spanloom routing-proxy puts them side "
                 "by side"));
    }
  }

 private:
  void FindEnginesBeside(const SeenTrace& trace, const SeenSpan& outermost) {
    if (outermost.parent.empty()) return;
    for (const SeenSpan& span : trace.spans) {
      const bool is_beside = span.name == span_name::kLlmRequest && span.parent == outermost.parent;
      if (is_beside) beside_[{outermost.service, span.service}].Add(trace.id);
    }
  }

  std::map<std::pair<std::string_view, std::string_view>, Counted> beside_;  // by services: proxy's, engine's
  std::map<std::string_view, Counted> nested_;                               // by the proxy's service
};

}  // namespace

void CheckProxyTraces(const TraceSample& sample, Findings& findings) {
  ProxyTraces traces;
  for (const SeenTrace& trace : sample.traces) traces.Add(trace);
  traces.Report({sample.source, 0}, findings);
}

}  // namespace spanloom::doctor
