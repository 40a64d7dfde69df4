// SPDX-License-Identifier: Apache-2.0

#include "app/store_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StoreSampleTest : public testing::Test {
 protected:
  // A span that began so long ago and took a second.
  store::SpanSpec SpanAgo(uint64_t trace, uint64_t span, std::chrono::seconds ago) const {
    const auto start = static_cast<uint64_t>(clock_.UnixNs() - std::chrono::nanoseconds(ago).count());
    return {.trace_id = store::MakeTraceId(trace),
            .span_id = store::MakeSpanId(span),
            .start_unix_ns = start,
            .end_unix_ns = start + 1'000'000'000};
  }
  StatusOr<StoreSample> Sample(const StoreSampleLimits& limits = {}, const std::stop_token& stop = {}) const {
    return SampleStore(store_, clock_, limits, stop);
  }

  SimClock clock_;
  store::ModelStore store_{clock_};
};

// Scenario: a trace over two services, the child without its parent's kind; a trace of yesterday.
// Guarantees: the recent trace once, with what the rules look at; the old one is not in the sample, its service is
// known.
TEST_F(StoreSampleTest, HasRecentTracesOnce) {
  store::SpanSpec root = SpanAgo(7, 1, std::chrono::seconds(100));
  root.kind = otlp::SpanKind::kClient;
  store::SpanSpec child = SpanAgo(7, 2, std::chrono::seconds(99));
  child.parent_span_id = root.span_id;
  child.attributes = {{"gen_ai.request.id", "chatcmpl-7"}, {"http.status_code", "502"}};
  store_.Add(store::RequestBuilder().FromService("proxy").Add(root).FromService("vllm").Add(child).Build());
  store_.Add(store::RequestBuilder().FromService("gone").Add(SpanAgo(8, 3, std::chrono::hours(24))).Build());

  const auto sample = Sample();
  ASSERT_TRUE(sample.ok()) << sample.status();
  EXPECT_THAT(sample->left_out, IsEmpty());
  EXPECT_THAT(sample->traces.services, ElementsAre("gone", "proxy", "vllm"));
  EXPECT_EQ(sample->traces.settled_before_us, clock_.UnixNs() / 1'000 - 60'000'000);
  ASSERT_THAT(sample->traces.traces, SizeIs(1));
  const doctor::SeenTrace& trace = sample->traces.traces[0];
  EXPECT_EQ(trace.id, "00000000000000000000000000000007");
  ASSERT_THAT(trace.spans, SizeIs(2));
  EXPECT_EQ(trace.spans[0].parent, "");
  EXPECT_EQ(trace.spans[0].kind, "client");
  EXPECT_EQ(trace.spans[0].service, "proxy");
  EXPECT_EQ(trace.spans[0].end_us - trace.spans[0].start_us, 1'000'000);
  EXPECT_EQ(trace.spans[1].parent, trace.spans[0].id);
  EXPECT_EQ(trace.spans[1].service, "vllm");
  EXPECT_EQ(trace.spans[0].request_id, "");
  EXPECT_EQ(trace.spans[1].request_id, "7");
  EXPECT_EQ(trace.spans[1].http_status, 502);
  EXPECT_FALSE(trace.spans[1].is_error);
}

// Scenario: more services, traces and spans than are looked at.
// Guarantees: no more is held than the limits say, and what is left out is said.
TEST_F(StoreSampleTest, IsBoundedAndSaysSo) {
  for (uint64_t i = 1; i <= 6; ++i) {
    store_.Add(store::RequestBuilder()
                   .FromService(i <= 4 ? "busy" : StrCat("rare", i))
                   .Add(SpanAgo(i, i, std::chrono::seconds(600)))
                   .Build());
  }
  const auto few = Sample({.traces_max = 3, .services_max = 2});
  ASSERT_TRUE(few.ok()) << few.status();
  EXPECT_THAT(few->traces.traces, SizeIs(4));  // three of busy, one of another
  EXPECT_THAT(few->left_out, ElementsAre(HasSubstr("traces of 1 service:")));
  EXPECT_THAT(few->traces.services, SizeIs(3));

  const auto fewer = Sample({.spans_max = 2});
  ASSERT_TRUE(fewer.ok()) << fewer.status();
  EXPECT_THAT(fewer->traces.traces, SizeIs(2));
  EXPECT_THAT(fewer->left_out, ElementsAre(HasSubstr("beyond the sample's 2 spans")));
}

// Scenario: nobody waits for the answer any more; and no time is left for it.
// Guarantees: the first is an error, so is a store that can't name its services in time.
TEST_F(StoreSampleTest, EndsWhenItShould) {
  store_.Add(store::RequestBuilder().FromService("a").Add(SpanAgo(1, 1, std::chrono::seconds(600))).Build());
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Sample({}, stop.get_token()).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Sample({.time_max = std::chrono::seconds(0)}).status().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace spanloom::app
