// SPDX-License-Identifier: Apache-2.0
//
// What a store says of itself on the metrics page.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "store/columnar/columnar_store.h"
#include "store/conformance/request_builder.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::store::columnar {
namespace {

using testing::HasSubstr;

constexpr size_t kQueueBytes = 4'000;

class ColumnarStoreMetrics : public testing::Test {
 protected:
  ColumnarStoreMetrics() {
    EXPECT_TRUE(disk_.CreateDirectory("/data").ok());
    auto opened = ColumnarStore::Open({.directory = "/data", .queue_bytes_max = kQueueBytes}, disk_, metrics_, clock_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = std::move(opened->store);
  }

  // A batch with one span, and an attribute of that many bytes.
  static otlp::Batch BatchOfBytes(size_t bytes) {
    return RequestBuilder()
        .FromService("s")
        .Add({.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .attributes = {{"a", std::string(bytes, 'x')}}})
        .Build();
  }

  Status Append(size_t bytes) {
    Status status;
    Notification answered;
    store_->Append(BatchOfBytes(bytes), [&](Status answer) {
      status = std::move(answer);
      answered.Notify();
    });
    answered.Wait();
    return status;
  }

  [[nodiscard]] uint64_t refused(const std::string& cause) const {
    return metrics_.Sum("spanloom_store_refused_appends", {{"cause", cause}});
  }

  SimClock clock_;
  MetricRegistry metrics_;
  disk::SimulatedDisk disk_;
  std::unique_ptr<ColumnarStore> store_;
};

// Scenario: appends that are stored, and refused for each reason. Guarantees: each is counted, under its cause.
TEST_F(ColumnarStoreMetrics, CountAppendsByWhatBecameOfThem) {
  EXPECT_TRUE(Append(10).ok());
  EXPECT_THAT(metrics_.Render(), HasSubstr("spanloom_store_commit_seconds_count 1\n"));

  EXPECT_TRUE(absl::IsResourceExhausted(Append(2 * kQueueBytes)));
  EXPECT_EQ(refused("too_large"), 1U);
  {
    const auto held = store_->Reserve(BatchOfBytes(kQueueBytes / 2));
    ASSERT_TRUE(held.ok()) << held.status();
    EXPECT_TRUE(absl::IsUnavailable(Append(kQueueBytes / 2)));
  }
  EXPECT_EQ(refused("queue_full"), 1U);

  disk_.FailChanges(disk_.changes(), disk::Fault::kIoError, 100);
  EXPECT_TRUE(absl::IsUnavailable(Append(10)));
  EXPECT_EQ(refused("log"), 1U);
  EXPECT_THAT(metrics_.Render(), HasSubstr("spanloom_store_commit_seconds_count 1\n"));
}

// Scenario: what is in memory is flushed. Guarantees: its bytes move to those of segments.
TEST_F(ColumnarStoreMetrics, TellWhereTheBytesAre) {
  EXPECT_TRUE(Append(100).ok());
  EXPECT_GT(metrics_.SumGauges("spanloom_store_head_bytes"), 100);
  EXPECT_EQ(metrics_.SumGauges("spanloom_store_segment_bytes"), 0);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(metrics_.SumGauges("spanloom_store_head_bytes"), 0);
  EXPECT_GT(metrics_.SumGauges("spanloom_store_segment_bytes"), 100);
}

}  // namespace
}  // namespace spanloom::store::columnar
