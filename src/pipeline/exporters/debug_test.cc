// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/debug.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "pipeline/testing/fake_consumer.h"
#include "store/conformance/request_builder.h"

namespace spanloom::pipeline {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class DebugExporterTest : public testing::Test {
 protected:
  // The lines written for one span with an attribute and an event.
  std::vector<std::string> LinesAt(DebugOptions::Verbosity verbosity) {
    std::vector<std::string> lines;
    DebugExporter exporter(ComponentId{"debug", ""}, {.verbosity = verbosity}, context_,
                           [&](std::string_view message, std::initializer_list<LogField> fields) {
                             std::string line(message);
                             for (const LogField& field : fields) StrAppend(line, " ", field.key, "=", field.value);
                             lines.push_back(std::move(line));
                           });
    store::RequestBuilder request;
    request.FromService("vllm-decode")
        .Add({.trace_id = store::MakeTraceId(1),
              .span_id = store::MakeSpanId(2),
              .name = "llm_request",
              .attributes = {{"gen_ai.usage.prompt_tokens", int64_t{5}}},
              .events = {{.name = "first_token"}}});
    EXPECT_TRUE(Deliver(exporter, request.Build()).ok());
    return lines;
  }

  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: basic.
// Guarantees: one line with counts.
TEST_F(DebugExporterTest, BasicWritesCounts) {
  EXPECT_THAT(LinesAt(DebugOptions::Verbosity::kBasic),
              ElementsAre("Traces exporter=debug otelcol.signal=traces resource spans=1 spans=1"));
}

// Scenario: eight batches in one second, of which the first two and then every third are to be written.
// Guarantees: those are, and all are counted.
TEST_F(DebugExporterTest, LeavesOutWhatItIsToldTo) {
  SimClock clock;
  size_t lines = 0;
  DebugExporter exporter(ComponentId{"debug", ""}, {.sampling_initial = 2, .sampling_thereafter = 3},
                         {.loops = loops_, .metrics = metrics_, .clock = clock},
                         [&](std::string_view, std::initializer_list<LogField>) { ++lines; });
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  EXPECT_EQ(lines, 4U);  // 1, 2, 5 and 8
  clock.Advance(1'000'000'000);
  EXPECT_TRUE(Deliver(exporter, BatchOf({"a"})).ok());
  EXPECT_EQ(lines, 5U) << "a new second begins anew";
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 9U);
}

// Scenario: normal, detailed.
// Guarantees: the counts, and the text of that verbosity.
TEST_F(DebugExporterTest, WritesTheTextOfItsVerbosity) {
  const auto normal = LinesAt(DebugOptions::Verbosity::kNormal);
  ASSERT_THAT(normal, SizeIs(2));
  EXPECT_EQ(normal[1],
            "ResourceTraces #0 service.name=vllm-decode\nScopeTraces #0\nllm_request 00000000000000000000000000000001 "
            "0000000000000002 gen_ai.usage.prompt_tokens=5\n exporter=debug otelcol.signal=traces");
  const auto detailed = LinesAt(DebugOptions::Verbosity::kDetailed);
  ASSERT_THAT(detailed, SizeIs(2));
  EXPECT_THAT(detailed[1], testing::HasSubstr("\n    Name           : llm_request\n"));
}

// Scenario: files of its own, two of them, one of which was there; then a disk that is full.
// Guarantees: each line is in both, behind what was there, and nothing in the log; a batch that can't be written may be
// sent again.
TEST_F(DebugExporterTest, WritesToFiles) {
  const std::string folder = StrCat(testing::TempDir(), "debug_exporter_", getpid());
  std::filesystem::create_directories(folder);
  const std::string first = folder + "/first";
  const std::string second = folder + "/second";
  std::ofstream(second) << "before\n";
  const auto make = [&](const std::vector<std::string>& paths) {
    return std::make_unique<DebugExporter>(
        ComponentId{"debug", ""}, DebugOptions{.use_internal_logger = false, .output_paths = paths}, context_,
        [](std::string_view, std::initializer_list<LogField>) { ADD_FAILURE() << "in the log"; });
  };
  const auto content = [](const std::string& path) {
    std::ifstream file(path);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const auto exporter = make({first, second});
  ASSERT_TRUE(exporter->Start().ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"a", "b"})).ok());
  exporter->Stop(std::chrono::seconds(1));
  const std::string line = "Traces\t{\"resource spans\": 1, \"spans\": 2}\n";
  EXPECT_EQ(content(first), line);
  EXPECT_EQ(content(second), "before\n" + line);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 2U);
  const auto full = make({"/dev/full"});
  ASSERT_TRUE(full->Start().ok());
  EXPECT_TRUE(IsRetryable(Deliver(*full, BatchOf({"a"}))));
  full->Stop(std::chrono::seconds(1));
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_send_failed_spans"), 1U);
  EXPECT_EQ(make({folder + "/none/x"})->Start().code(), absl::StatusCode::kUnavailable);
  std::filesystem::remove_all(folder);
}

// Guarantees: files are for those who do not want the log.
TEST(DebugOptions, TakesFilesInPlaceOfTheLog) {
  DebugOptions options;
  options.output_paths = {"stderr"};
  EXPECT_EQ(options.Validate().code(), absl::StatusCode::kInvalidArgument);
  options.use_internal_logger = false;
  EXPECT_EQ(options.Validate(), absl::OkStatus());
}

}  // namespace
}  // namespace spanloom::pipeline
