// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "config/yaml.h"
#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "otlp/writer.h"
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
  [[nodiscard]] std::string Content() const { return ContentOf("spans.json"); }
  [[nodiscard]] std::string ContentOf(const std::string& name) const {
    std::ifstream file(directory_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The names of the spans of each line, with a slash behind each.
  [[nodiscard]] std::string NamesIn(const std::string& name) const {
    std::istringstream lines(ContentOf(name));
    std::string names;
    for (std::string line; std::getline(lines, line);) {
      const auto wire = otlp::TranscodeTracesJson(line);
      if (!wire.ok()) return wire.status().ToString();
      for (const std::string& each : NamesOf(otlp::Batch(*otlp::ReadTraces(Bytes(*wire))))) StrAppend(names, each, "/");
    }
    return names;
  }
  // A resource with a span of its name for each tenant; nullopt: a resource that names none.
  static otlp::Batch BatchOfTenants(const std::vector<std::optional<std::string>>& tenants) {
    std::string wire;
    otlp::RequestWriter request(wire);
    for (const auto& tenant : tenants) {
      request.BeginResource(otlp::EncodeResource([&](otlp::AttributeWriter& writer) {
        if (tenant) writer.String("tenant", *tenant);
      }));
      request.BeginScope("");
      request.BeginSpan({.name = tenant.value_or("none")}).End();
    }
    request.End();
    return otlp::Batch(otlp::Slice(Bytes(std::move(wire)), tenants.size()));
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

// Scenario: two batches, compressed; of the second the end is cut off, as by a crash.
// Guarantees: the file is what the lines are, in frames: the first is whole without the second.
TEST_F(FileExporterTest, CompressesEachBatch) {
  const auto plain = Make({.path = (directory_ / "plain.json").string()});
  const auto exporter = Make({.compression = net::Compression::kZstd, .compression_params = {.level = 7}});
  ASSERT_TRUE(plain->Start().ok() && exporter->Start().ok());
  const std::vector<std::string> many(1'000, "the same name");
  EXPECT_TRUE(Deliver(*plain, BatchOf({"a"})).ok());
  const std::string first = ContentOf("plain.json");
  EXPECT_TRUE(Deliver(*exporter, BatchOf({"a"})).ok());
  const std::string first_frame = Content();
  EXPECT_TRUE(Deliver(*plain, BatchOf(many)).ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOf(many)).ok());
  const std::string all = ContentOf("plain.json");
  EXPECT_LT(Content().size() * 4, all.size());
  const auto unpacked = [](const std::string& frames) {
    const auto bytes = net::Decompress(net::Compression::kZstd, frames, 64 << 20);
    return bytes.ok() ? std::string(bytes->view()) : bytes.status().ToString();
  };
  EXPECT_EQ(unpacked(first_frame), first);
  EXPECT_EQ(unpacked(Content()), all);
  EXPECT_TRUE(Content().starts_with(first_frame));
  plain->Stop(1s);
  exporter->Stop(1s);
}

// Scenario: a compressed file with rotation whose last frame is cut, as by a crash, and a new start.
// Guarantees: what is new can be read: it is in a file of its own.
TEST_F(FileExporterTest, BeginsAFileBehindACutFrame) {
  const FileExporterOptions options{.rotation = FileRotationOptions{}, .compression = net::Compression::kZstd};
  const auto first = Make(options);
  ASSERT_TRUE(first->Start().ok());
  EXPECT_TRUE(Deliver(*first, BatchOf({"a"})).ok());
  first->Stop(1s);
  std::filesystem::resize_file(path(), std::filesystem::file_size(path()) - 3);
  const auto second = Make(options);
  ASSERT_TRUE(second->Start().ok());
  EXPECT_TRUE(Deliver(*second, BatchOf({"b"})).ok());
  second->Stop(1s);
  const auto unpacked = net::Decompress(net::Compression::kZstd, Content(), 1 << 20);
  ASSERT_TRUE(unpacked.ok()) << unpacked.status();
  EXPECT_THAT(std::string(unpacked->view()), HasSubstr("\"name\":\"b\""));
  const auto files = std::filesystem::directory_iterator(directory_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
}

// Scenario: a batch of three tenants, of which one would like to write outside, and of a resource without a tenant;
// then more than may be open at a time, and the first once more.
// Guarantees: each has a file of its own below the folder, which grows; what has none is dropped and counted.
TEST_F(FileExporterTest, WritesAFileAGroup) {
  const auto exporter = Make({.path = (directory_ / "by/*.json").string(),
                              .group_by = {.enabled = true, .resource_attribute = "tenant", .max_open_files = 2}});
  ASSERT_TRUE(exporter->Start().ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOfTenants({"blue", "../../../red", std::nullopt, "green/1"})).ok());
  EXPECT_TRUE(Deliver(*exporter, BatchOfTenants({"blue"})).ok());
  EXPECT_EQ(NamesIn("by/blue.json"), "blue/blue/");
  EXPECT_EQ(NamesIn("by/red.json"), "../../../red/");
  EXPECT_EQ(NamesIn("by/green/1.json"), "green/1/");
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans", {{"exporter", "file/payloads"}}), 1u);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_spans"), 4u);
  // A place where no file can be: refused for good, and the rest is written.
  EXPECT_EQ(Deliver(*exporter, BatchOfTenants({"blue.json/x", "pink"})).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(NamesIn("by/pink.json"), "pink/");
  EXPECT_EQ(Deliver(*exporter, BatchOfTenants({"blue.json/x", std::nullopt})).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans"), 1u) << "what is refused is not dropped";
  EXPECT_TRUE(Deliver(*exporter, BatchOfTenants({std::string("a\0b", 3)})).ok());
  EXPECT_EQ(metrics_.Sum("spanloom_pipeline_dropped_spans", {{"cause", "InvalidArgument"}}), 1u);
  exporter->Stop(1s);
}

// Scenario: metrics by their resource.
// Guarantees: they are taken apart as spans are, though nobody looks into them.
TEST_F(FileExporterTest, GroupsOtherSignals) {
  FileExporterOptions options;
  options.path = (directory_ / "*.json").string();
  options.group_by = {.enabled = true, .resource_attribute = "tenant"};
  BuildContext context = context_;
  context.signal = otlp::Signal::kMetrics;
  FileExporter exporter(ComponentId{"file", ""}, options, context);
  ASSERT_TRUE(exporter.Start().ok());
  const auto resource = [](const std::string& tenant, const std::string& name) {
    return R"({"resource":{"attributes":[{"key":"tenant","value":{"stringValue":")" + tenant +
           R"("}}]},"scopeMetrics":[{"metrics":[{"name":")" + name + R"(","gauge":{"dataPoints":[{"asInt":"1"}]}}]}]})";
  };
  const auto wire = otlp::TranscodeJson(
      otlp::Signal::kMetrics, R"({"resourceMetrics":[)" + resource("a", "m1") + "," + resource("b", "m2") + "]}");
  ASSERT_TRUE(wire.ok());
  EXPECT_TRUE(Deliver(exporter, otlp::Batch(*otlp::ReadRequest(otlp::Signal::kMetrics, Bytes(*wire)))).ok());
  EXPECT_THAT(ContentOf("a.json"), testing::AllOf(HasSubstr("m1"), testing::Not(HasSubstr("m2"))));
  EXPECT_THAT(ContentOf("b.json"), HasSubstr("m2"));
  exporter.Stop(1s);
  EXPECT_EQ(metrics_.Sum("otelcol_exporter_sent_metric_points"), 2u);
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
  EXPECT_THAT(Problems("{path: a, append: true, compression: zstd}"), ElementsAre(HasSubstr("append and compression")));
  EXPECT_THAT(Problems("{path: a, compression: lz4}"), ElementsAre(HasSubstr("compression")));
  EXPECT_THAT(Problems("{path: a, encoding: otlp_encoding}"), ElementsAre(HasSubstr("encoding")));
}

// Scenario: several files, and directories with permissions; what the Collector refuses about them, and what it
// ignores. Guarantees: the first are taken, the others refused by name.
TEST(FileExporterOptions, TakesGroups) {
  EXPECT_THAT(Problems("{path: 'a/*.json', compression: zstd, compression_params: {level: 3}, create_directory: true, "
                       "directory_permissions: '0750', group_by: {enabled: true, resource_attribute: tenant, "
                       "max_open_files: 7}}"),
              IsEmpty());
  EXPECT_THAT(Problems("{path: a, encoding: null, directory_permissions: '', group_by: {enabled: false}}"), IsEmpty());
  EXPECT_THAT(Problems("{path: a, group_by: {enabled: true}}"), ElementsAre(HasSubstr("exactly one *")));
  EXPECT_THAT(Problems("{path: 'a**', group_by: {enabled: true}}"), ElementsAre(HasSubstr("exactly one *")));
  EXPECT_THAT(Problems("{path: '*a', group_by: {enabled: true}}"), ElementsAre(HasSubstr("must not start with *")));
  EXPECT_THAT(Problems("{path: 'a*', rotation: {}, group_by: {enabled: true}}"), ElementsAre(HasSubstr("rotation")));
  EXPECT_THAT(Problems("{path: 'a*', group_by: {enabled: true, resource_attribute: ''}}"),
              ElementsAre(HasSubstr("resource_attribute")));
  EXPECT_THAT(Problems("{path: a, directory_permissions: '0750'}"),
              ElementsAre(HasSubstr("requires create_directory")));
  EXPECT_THAT(Problems("{path: a, create_directory: true, directory_permissions: '0899'}"),
              ElementsAre(HasSubstr("valid octal")));
  EXPECT_THAT(Problems("{path: a, create_directory: true, directory_permissions: '7777'}"),
              ElementsAre(HasSubstr("invalid bits")));
}

}  // namespace
}  // namespace spanloom::pipeline
