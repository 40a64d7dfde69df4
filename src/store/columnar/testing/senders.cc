// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/testing/senders.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kLargeTraceRequest = 3;  // the number of the request that has it

FetchPlan Everything() {
  return {.order = FetchPlan::Order::kAsStored, .traces_max = std::numeric_limits<size_t>::max()};
}

}  // namespace

std::string Senders::KeyOf(const StoredSpan& span) {
  return StrCat(span.resource().service_name(), "/", span.wire.view());
}

void Senders::AddNewTrace(size_t spans, std::vector<Sent>& spans_of_request) {
  const otlp::TraceId id = MakeTraceId(rng_.Next());
  const uint64_t start = 1'700'000'000'000'000'000 + spans_made_ * 1'000'000;
  for (size_t i = 0; i < spans; ++i) {
    SpanSpec span = {.trace_id = id,
                     .span_id = MakeSpanId(++spans_made_),
                     .name = StrCat("operation ", rng_.Below(4)),
                     .start_unix_ns = start + rng_.Below(1'000'000),
                     .attributes = {{"request.id", StrCat("request ", rng_.Next())}}};
    span.end_unix_ns = span.start_unix_ns + rng_.Below(10'000'000);
    spans_of_request.push_back({.service = StrCat("service ", rng_.Below(3)), .span = std::move(span)});
  }
}

Senders::Request Senders::MakeRequest() {
  std::vector<Sent> spans;
  if (requests_++ == kLargeTraceRequest) AddNewTrace(large_trace_spans_, spans);
  const uint64_t choice = rng_.Below(6);
  if (order_.empty() || choice < 4) {
    for (uint64_t traces = 1 + rng_.Below(3); traces > 0; --traces) AddNewTrace(1 + rng_.Below(4), spans);
  }
  if (!order_.empty() && choice != 0) {
    for (uint64_t count = 1 + rng_.Below(3); count > 0; --count) {
      Sent span = sent_[order_[rng_.Below(order_.size())]];
      if (rng_.Below(2) == 0) span.span.span_id = MakeSpanId(++spans_made_);  // a late one of the same trace
      spans.push_back(std::move(span));
    }
  }
  RequestBuilder builder;
  for (const Sent& span : spans) builder.FromService(span.service).Add(span.span);
  Request request = {.batch = builder.Build(), .keys = {}};
  const std::vector<StoredSpan> stored = StoredSpansOf(request.batch);
  for (size_t i = 0; i < stored.size(); ++i) {
    request.keys.push_back(KeyOf(stored[i]));
    spans[i].is_acknowledged = false;
    if (sent_.try_emplace(request.keys.back(), spans[i]).second) order_.push_back(request.keys.back());
  }
  return request;
}

size_t Senders::Send(SpanStore& store, size_t count) {
  struct Answer {
    Status status;
    Notification is_there;
  };
  std::vector<Request> requests;
  std::vector<std::unique_ptr<Answer>> answers;
  for (size_t i = 0; i < count; ++i) {
    requests.push_back(MakeRequest());
    answers.push_back(std::make_unique<Answer>());
    store.Append(requests[i].batch, [answer = answers[i].get()](Status status) {
      answer->status = std::move(status);
      answer->is_there.Notify();
    });
  }
  size_t acknowledged = 0;
  for (size_t i = 0; i < count; ++i) {
    answers[i]->is_there.Wait();
    if (answers[i]->status.ok()) {
      ++acknowledged;
      for (const std::string& key : requests[i].keys) sent_[key].is_acknowledged = true;
    } else {
      EXPECT_EQ(answers[i]->status.code(), absl::StatusCode::kUnavailable) << answers[i]->status;
    }
  }
  return acknowledged;
}

size_t Senders::acknowledged() const {
  size_t count = 0;
  for (const auto& [key, sent] : sent_) count += sent.is_acknowledged ? 1 : 0;
  return count;
}

std::string Senders::Compare(const Trace& trace, std::map<std::string, size_t>& found) const {
  std::string faults;
  for (const StoredSpan& span : trace.spans) {
    const std::string key = KeyOf(span);
    const auto sent = sent_.find(key);
    if (sent == sent_.end() || sent->second.span.trace_id != trace.id) {
      StrAppend(faults, "a span of trace ", trace.id.Hex(), " was never sent\n");
    } else if (++found[key] > 1) {
      StrAppend(faults, "span ", sent->second.span.span_id.Hex(), " of trace ", trace.id.Hex(), " is there ",
                found[key], " times\n");
    }
  }
  return faults;
}

std::string Senders::CompareEachTrace(const SpanStore& store, const std::vector<Trace>& traces) const {
  std::string faults;
  for (const Trace& fetched : traces) {
    const StatusOr<Trace> trace = store.GetTrace(fetched.id, {}, {});
    if (!trace.ok()) {
      StrAppend(faults, "GetTrace: ", trace.status().message(), "\n");
      continue;
    }
    std::map<std::string, size_t> found;
    StrAppend(faults, Compare(*trace, found));
    bool is_equal = trace->spans.size() == fetched.spans.size();
    for (const StoredSpan& span : fetched.spans) is_equal = is_equal && found.contains(KeyOf(span));
    if (!is_equal) StrAppend(faults, "GetTrace and Fetch differ in trace ", fetched.id.Hex(), "\n");
  }
  return faults;
}

std::string Senders::FindFault(const SpanStore& store) const {
  const StatusOr<std::vector<Trace>> traces = FetchTraces(store, Everything());
  if (!traces.ok()) return StrCat("Fetch: ", traces.status().message(), "\n");
  std::string faults;
  std::map<std::string, size_t> found;
  std::map<otlp::TraceId, size_t> times;
  for (const Trace& trace : *traces) {
    StrAppend(faults, Compare(trace, found));
    if (++times[trace.id] > 1) StrAppend(faults, "trace ", trace.id.Hex(), " comes ", times[trace.id], " times\n");
  }
  for (const auto& [key, sent] : sent_) {
    if (sent.is_acknowledged && !found.contains(key)) {
      const Status status = store.GetTrace(sent.span.trace_id, {}, {}).status();
      StrAppend(faults, "span ", sent.span.span_id.Hex(), " of trace ", sent.span.trace_id.Hex(),
                " is lost: ", status.message(), "\n");
    }
  }
  StrAppend(faults, CompareEachTrace(store, *traces));
  const StoreStats stats = store.Stats();
  if (stats.spans != found.size() || stats.traces != traces->size()) {
    StrAppend(faults, "Stats tell of ", stats.spans, " spans in ", stats.traces, " traces, Fetch of ", found.size(),
              " in ", traces->size(), "\n");
  }
  return faults;
}

std::string Senders::FindInvention(const SpanStore& store) const {
  std::string faults;
  std::map<std::string, size_t> found;
  const StatusOr<std::vector<Trace>> traces = FetchTraces(store, Everything());
  if (traces.ok()) {
    for (const Trace& trace : *traces) StrAppend(faults, Compare(trace, found));
  }
  for (const auto& [key, sent] : sent_) {
    const StatusOr<Trace> trace = store.GetTrace(sent.span.trace_id, {}, {});
    std::map<std::string, size_t> found_of_trace;
    if (trace.ok()) StrAppend(faults, Compare(*trace, found_of_trace));
  }
  return faults;
}

}  // namespace spanloom::store::columnar
