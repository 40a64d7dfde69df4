// SPDX-License-Identifier: Apache-2.0
//
// Recorded spans in, Jaeger JSON out, compared with the files in tests/golden/jaeger. A change of behaviour shows as a
// change of those files: SPANLOOM_UPDATE_GOLDEN=1 writes them anew, and what changed is then to be read in the diff.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "otlp/testing/recorded_requests.h"
#include "query/jaeger/handlers.h"
#include "query/jaeger/trace_json.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::query::jaeger {
namespace {

namespace fs = std::filesystem;

struct GoldenTrace {
  const char* name;       // of the file
  const char* recording;  // folder in tests/data/recorded
  const char* trace_id;
};

class Golden : public testing::TestWithParam<GoldenTrace> {};

std::string AnswerOf(const GoldenTrace& golden) {
  store::ModelStore store;
  for (otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".pb")) {
    if (!request.name.starts_with(std::string(golden.recording) + "/")) continue;
    store.Add(store::BatchOf(std::move(request.body)));
  }
  net::HttpRequest request;
  request.query = "prettyPrint=true";
  const net::HttpResponse response = Handlers(store, Clock::System()).Trace(request, golden.trace_id);
  EXPECT_EQ(response.status, 200);
  return std::string(response.body.view()) + "\n";
}

// Scenario: a trace as real software sent it, asked for by its id.
// Guarantees: the answer is the committed one, and it is valid JSON.
TEST_P(Golden, AnswerIsAsCommitted) {
  const std::string answer = AnswerOf(GetParam());
  EXPECT_TRUE(nlohmann::json::accept(answer));
  const fs::path file = fs::path(SPANLOOM_GOLDEN) / "jaeger" / (std::string(GetParam().name) + ".json");
  if (std::getenv("SPANLOOM_UPDATE_GOLDEN") != nullptr) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << answer;
  }
  EXPECT_EQ(answer, otlp::ReadFile(file)) << file << ": if the change is meant, run with SPANLOOM_UPDATE_GOLDEN=1";
}

// Scenario: every recorded trace, of all software.
// Guarantees: valid JSON with as many spans as are stored, each with a process that is listed, and microseconds of its
// start.
TEST(RecordedTraces, AreValidJson) {
  store::ModelStore store;
  for (otlp::RecordedRequest& request : otlp::ReadRecordedRequests(".pb")) {
    store.Add(store::BatchOf(std::move(request.body)));
  }
  const auto traces = store::FetchTraces(store, {.traces_max = 1'000'000});
  ASSERT_TRUE(traces.ok());
  for (const store::Trace& trace : *traces) {
    std::string text;
    JsonWriter writer(text);
    WriteTraceJson(trace, {}, writer);
    const auto json = nlohmann::json::parse(text, nullptr, false);
    ASSERT_FALSE(json.is_discarded()) << trace.id.Hex();
    ASSERT_EQ(json["spans"].size(), trace.spans.size());
    for (size_t i = 0; i < trace.spans.size(); ++i) {
      const auto& span = json["spans"][i];
      ASSERT_TRUE(json["processes"].contains(span["processID"].get<std::string>()));
      ASSERT_EQ(span["startTime"], trace.spans[i].span().start_unix_ns() / 1'000);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Jaeger, Golden,
    testing::Values(GoldenTrace{"llmd_sched_0_6", "llmd-sched-0.6.0", "fe0c9c04f376e6bb23b6a0c31ea5682a"},
                    GoldenTrace{"sdk_python_odd_values", "sdk-python-grpc", "d822db2a9396aeec2a07f5b461166e40"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace spanloom::query::jaeger
