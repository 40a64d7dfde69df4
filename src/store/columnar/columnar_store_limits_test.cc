// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "store/columnar/testing/live_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kTraces = 30;
constexpr size_t kTraceBytes = 10'000;

// Scenario: each trace of an answer may be held, all of them may not.
// Guarantees: the answer is whole, and newest first: traces that were let go are read again.
TEST(ColumnarStoreLimits, AnswersWithMoreThanItMayHold) {
  LiveStore live;
  std::vector<uint64_t> newest_first;
  for (uint64_t number = 1; number <= kTraces; ++number) {
    RequestBuilder request;
    request.FromService("s").Add({.trace_id = MakeTraceId(number),
                                  .span_id = MakeSpanId(number),
                                  .start_unix_ns = number,
                                  .attributes = {{"text", std::string(kTraceBytes, 'a')}}});
    Notification done;
    live.store().Append(request.Build(), [&](const Status& status) {
      EXPECT_TRUE(status.ok()) << status;
      done.Notify();
    });
    done.Wait();
    newest_first.insert(newest_first.begin(), number);
  }
  ASSERT_TRUE(live.store().Flush().ok());
  auto cursor = live.store().Fetch({.rows = FetchPlan::Rows::kWholeTrace,
                                    .wants_messages = true,
                                    .traces_max = kTraces,
                                    .limits = {.bytes_max = 3 * kTraceBytes}});
  ASSERT_TRUE(cursor.ok()) << cursor.status();
  std::vector<uint64_t> found;
  while (true) {
    auto batch = (*cursor)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!*batch) break;
    for (const auto& trace : (*batch)->traces) found.push_back(static_cast<uint8_t>(trace.position.id.bytes.back()));
  }
  EXPECT_EQ(found, newest_first);
}

}  // namespace
}  // namespace spanloom::store::columnar
