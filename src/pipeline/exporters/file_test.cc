// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/yaml.h"
#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "pipeline/testing/fake_consumer.h"
#include "pipeline/testing/requests.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FileExporterTest : public testing::Test {
 protected:
  FileExporterTest() : directory_(testing::TempDir() + "file_exporter_" + std::to_string(getpid())) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
  }
  ~FileExporterTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path() const { return (directory_ / "spans.json").string(); }
  [[nodiscard]] std::string Content() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::unique_ptr<FileExporter> Make(FileExporterOptions options) {
    if (options.path.empty()) options.path = path();
    return std::make_unique<FileExporter>(ComponentId{"file", "payloads"}, options, context_);
  }

  const std::filesystem::path directory_;
  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System(), .seed = 1};
};

// Scenario: two batches as JSON.
// Guarantees: answered OK once they are in the file; a line each, which is OTLP; readable by its owner alone.
TEST_F(FileExporterTest, WritesALineABatch) {
  const auto exporter = Make({});
  ASSERT_TRUE(exporter->Start().ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"a", "b"})).ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"c"})).ok());
  std::istringstream lines(Content());
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const auto wire = otlp::TranscodeTracesJson(line);
    ASSERT_TRUE(wire.ok()) << line;
    for (const std::string& name : NamesOf(otlp::Batch(*otlp::ReadTraces(Bytes(*wire))))) names.push_back(name);
    names.push_back("/");
  }
  EXPECT_THAT(names, ElementsAre("a", "b", "/", "c", "/"));
  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  exporter->Stop(1s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans", {{"exporter", "file/payloads"}}), 3u);
  EXPECT_EQ(Deliver(*exporter, BatchOf({"d"})).code(), absl::StatusCode::kUnavailable);
}

// Scenario: two batches as protobuf.
// Guarantees: each has its length before it.
TEST_F(FileExporterTest, WritesProtobufWithLengths) {
  const auto exporter = Make({.format = RequestEncoding::kProtobuf});
  ASSERT_TRUE(exporter->Start().ok());
  const Bytes first = BatchOf({"a"}).Encode();
  const Bytes second = BatchOf({"bb"}).Encode();
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"a"})).ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"bb"})).ok());
  const auto length = [](const Bytes& bytes) { return std::string{0, 0, 0, static_cast<char>(bytes.size())}; };
  EXPECT_EQ(Content(), length(first) + std::string(first.view()) + length(second) + std::string(second.view()));
  exporter->Stop(1s);
}

// Scenario: a directory that is not there, made when that is asked for; and a device that is full.
// Guarantees: the first start names it; a batch that can't be written may be sent again, and is counted.
TEST_F(FileExporterTest, SaysWhatIsWrong) {
  const std::string deep = (directory_ / "a/b/spans.json").string();
  EXPECT_THAT(std::string(Make({.path = deep})->Start().message()), HasSubstr(deep));
  EXPECT_TRUE(Make({.path = deep, .create_directory = true})->Start().ok());
  const auto full = Make({.path = "/dev/full", .append = true});
  ASSERT_TRUE(full->Start().ok());
  const Status refused = Deliver(*full, BatchOf({"a"}));
  EXPECT_TRUE(IsRetryable(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), HasSubstr("No space left on device"));
  full->Stop(1s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_send_failed_spans"), 1u);
}

std::vector<std::string> Problems(std::string_view yaml) {
  config::Problems problems;
  config::ReadOptions<FileExporterOptions>(*config::ParseYaml(yaml, "f"), "exporters::file", problems);
  return problems.lines();
}

// Scenario: llm-d's payload capture, and options that do not go together.
// Guarantees: the first is taken, the others are refused by name.
TEST(FileExporterOptions, TakesThePayloadCapture) {
  EXPECT_THAT(Problems("{path: /var/llm-d/payloads/payload-spans.json, rotation: {max_megabytes: 100, max_days: 7, "
                       "max_backups: 5, localtime: false}}"),
              IsEmpty());
  EXPECT_THAT(Problems(""), ElementsAre(HasSubstr("path must be non-empty")));
  EXPECT_THAT(Problems("{path: a, append: true, rotation: {}}"), ElementsAre(HasSubstr("append and rotation")));
  EXPECT_THAT(Problems("{path: a, compression: zstd}"), ElementsAre(HasSubstr("compression")));
}

}  // namespace
}  // namespace spanloom::pipeline
