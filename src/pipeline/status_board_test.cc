// SPDX-License-Identifier: Apache-2.0

#include "pipeline/status_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::pipeline {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class StatusBoardTest : public testing::Test {
 protected:
  ComponentStatus Only() const {
    const auto snapshot = board_.Snapshot();
    EXPECT_THAT(snapshot, SizeIs(1));
    return snapshot.at(0);
  }

  SimClock clock_;
  StatusBoard board_{clock_};
};

// Scenario: a destination goes away, stays away, and comes back.
// Guarantees: state, the last message, and the time of the change, not of its repetition.
TEST_F(StatusBoardTest, ShowsTheStateAndSinceWhen) {
  const StatusReporter exporter = board_.Add(ComponentKind::kExporter, "otlp_grpc", "");
  exporter.ReportOk();
  clock_.Advance(5);
  exporter.ReportRecoverable(absl::UnavailableError("refused"));
  const int64_t since_ns = clock_.UnixNs();
  clock_.Advance(5);
  exporter.ReportRecoverable(absl::DeadlineExceededError("slow"));
  EXPECT_EQ(Only().state, ComponentState::kRecoverableError);
  EXPECT_EQ(Only().message, "DeadlineExceeded: slow");
  EXPECT_EQ(Only().since_unix_ns, since_ns);
  exporter.ReportOk();
  EXPECT_EQ(Only().state, ComponentState::kOk);
  EXPECT_EQ(Only().message, "");
}

// Scenario: reports after a permanent error, and after the stop.
// Guarantees: a permanent error ends only with the stop, a stop is the end.
TEST_F(StatusBoardTest, IgnoresWhatCannotFollow) {
  const StatusReporter receiver = board_.Add(ComponentKind::kReceiver, "otlp", "");
  receiver.ReportPermanent(absl::UnavailableError("port is taken"));
  receiver.ReportOk();
  EXPECT_EQ(receiver.state(), ComponentState::kPermanentError);
  receiver.Report(ComponentState::kStopping);
  receiver.Report(ComponentState::kStopped);
  receiver.ReportOk();
  EXPECT_EQ(receiver.state(), ComponentState::kStopped);
}

// Scenario: the last copy of a reporter goes.
// Guarantees: its component is off the board.
TEST_F(StatusBoardTest, ForgetsWhoIsGone) {
  {
    const StatusReporter gone = board_.Add(ComponentKind::kProcessor, "batch", "traces");
    EXPECT_EQ(Only().pipeline, "traces");
  }
  EXPECT_THAT(board_.Snapshot(), IsEmpty());
}

}  // namespace
}  // namespace spanloom::pipeline
