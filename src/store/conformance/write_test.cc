// SPDX-License-Identifier: Apache-2.0
//
// Conformance: reservations, and calls that a store does not declare.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "store/conformance/store_conformance.h"

namespace spanloom::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SpanSpec SpanOf(uint64_t number) {
  return {.trace_id = MakeTraceId(number), .span_id = MakeSpanId(number), .start_unix_ns = number};
}

otlp::Batch BatchOfSpans(uint64_t first, uint64_t count) {
  RequestBuilder builder;
  builder.FromService("s");
  for (uint64_t i = first; i < first + count; ++i) builder.Add(SpanOf(i));
  return builder.Build();
}

Status CommitAndWait(Reservation& reservation, otlp::Batch batch) {
  Status result;
  Notification is_done;
  reservation.Commit(std::move(batch), [&](Status status) {
    result = std::move(status);
    is_done.Notify();
  });
  is_done.Wait();
  return result;
}

// Scenario: room is kept for a batch and given back; kept and used; kept for a batch of which half is dropped.
// Guarantees: nothing is stored before it is committed; what is committed is found when `done` is called.
TEST_P(StoreConformance, ReservesThenCommits) {
  const otlp::Batch batch = BatchOfSpans(1, 4);
  {
    const auto unused = store().Reserve(batch);
    ASSERT_TRUE(unused.ok()) << unused.status();
  }
  EXPECT_THAT(FindNumbers({}), IsEmpty());

  auto reservation = store().Reserve(batch);
  ASSERT_TRUE(reservation.ok());
  otlp::Batch half = batch;
  half.slices()[0].DropIf([](const otlp::SpanContext& context) { return context.span.start_unix_ns() > 2; });
  EXPECT_TRUE(CommitAndWait(**reservation, std::move(half)).ok());
  reservation->reset();
  EXPECT_THAT(FindNumbers({}), ElementsAre(2, 1));
}

// Scenario: room is kept and given back many times over, then used.
// Guarantees: room does not leak.
TEST_P(StoreConformance, ReservationsGiveTheirRoomBack) {
  const otlp::Batch batch = BatchOfSpans(1, 1'000);
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(store().Reserve(batch).ok()) << i;
  Append(batch);
  EXPECT_EQ(store().Stats().spans, 1'000);
}

// Scenario: every call that a store may leave out.
// Guarantees: what is not declared is kUnimplemented; what is declared is not.
TEST_P(StoreConformance, RefusesWhatItDoesNotDeclare) {
  const Capabilities capabilities = store().capabilities();
  const auto is_refused = [](const Status& status) { return absl::IsUnimplemented(status); };
  EXPECT_EQ(is_refused(store().Aggregate({}).status()), !capabilities.aggregate);
  EXPECT_EQ(is_refused(store().Tail({}, std::nullopt, 1).status()), !capabilities.tail);
  EXPECT_EQ(is_refused(store().Requests({}).status()), !capabilities.requests);
  EXPECT_EQ(is_refused(store().GroupRequests({}).status()), !capabilities.requests);
  EXPECT_EQ(is_refused(store().Purge({}).status()), !capabilities.purge);
}

}  // namespace
}  // namespace spanloom::store
