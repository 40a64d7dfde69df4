// SPDX-License-Identifier: Apache-2.0

#include "cli/store/otlp_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "otlp/writer.h"

namespace spanloom::cli::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A request with one span of that name.
std::string Request(std::string_view name) {
  std::string wire;
  otlp::RequestWriter writer(wire);
  writer.BeginResource(otlp::EncodeResource([](otlp::AttributeWriter& a) { a.String("service.name", "shop"); }));
  writer.BeginScope({});
  otlp::TraceId trace_id;
  trace_id.bytes[0] = 1;
  otlp::SpanId span_id;
  span_id.bytes[0] = 2;
  otlp::SpanWriter span =
      writer.BeginSpan({.trace_id = trace_id, .span_id = span_id, .name = name, .start_unix_ns = 5, .end_unix_ns = 6});
  span.End();
  writer.End();
  return wire;
}

std::string File(OtlpFormat format, const std::vector<std::string>& names) {
  std::string file;
  for (const std::string& name : names) StrAppend(file, *EncodeRequest(Request(name), format));
  return file;
}

// The names of the spans, then what ended the reading, if that is not the end of the file.
std::vector<std::string> Read(const std::string& file) {
  std::istringstream in(file);
  OtlpFileReader reader("traces.out", in);
  std::vector<std::string> found;
  while (true) {
    const auto slice = reader.Next();
    if (!slice.ok()) found.emplace_back(slice.status().message());
    if (absl::IsInvalidArgument(slice.status())) continue;
    if (!slice.ok() || !*slice) break;
    (*slice)->ForEach([&](const otlp::SpanContext& span) { found.emplace_back(span.span.name()); });
  }
  if (found.empty() || !found.back().starts_with("traces.out, byte")) {
    EXPECT_EQ(reader.bytes(), file.size());
  }
  return found;
}

TEST(OtlpFileTest, ReadsWhatItWrites) {
  for (const OtlpFormat format : {OtlpFormat::kJson, OtlpFormat::kProto}) {
    EXPECT_THAT(Read(File(format, {"a", "b", "c"})), ElementsAre("a", "b", "c"));
    EXPECT_THAT(Read(File(format, {})), ElementsAre());
  }
}

// Scenario: a file of JSON as people have them: white space in front, empty lines, no end of line at the end.
// Guarantees: all its requests.
TEST(OtlpFileTest, IsLooseAboutWhiteSpace) {
  std::string file = "\n  " + File(OtlpFormat::kJson, {"a", "b"}) + "\r\n\n" + File(OtlpFormat::kJson, {"c"});
  file.pop_back();
  EXPECT_THAT(Read(file), ElementsAre("a", "b", "c"));
}

// Scenario: lines that are no requests between others. Guarantees: each is named by its line; the others are read.
TEST(OtlpFileTest, GoesOnBehindABadLine) {
  const std::string file =
      File(OtlpFormat::kJson, {"a"}) + "{\"resourceSpans\": 7}\n{not json\n" + File(OtlpFormat::kJson, {"b"});
  EXPECT_THAT(Read(file), ElementsAre("a", HasSubstr("traces.out, line 2"), HasSubstr("traces.out, line 3"), "b"));
}

// Scenario: protobuf that is cut short at each byte. Guarantees: the requests before are read, and the place is named.
TEST(OtlpFileTest, SaysWhereAFileIsCutShort) {
  const std::string first = File(OtlpFormat::kProto, {"a"});
  const std::string file = first + File(OtlpFormat::kProto, {"b"});
  for (size_t size = first.size() + 1; size < file.size(); ++size) {
    EXPECT_THAT(Read(file.substr(0, size)),
                ElementsAre("a", StrCat("traces.out, byte ", first.size(), ": the file is cut short")));
  }
}

// Scenario: a compressed file, whose first bytes are no length that could be.
// Guarantees: it is refused without being held in memory, with what may be wrong.
TEST(OtlpFileTest, RefusesWhatIsNoSuchFile) {
  EXPECT_THAT(Read("\x1f\x8b\x08 gzip"), ElementsAre(HasSubstr("the limit is 67108864. Is this a file of OTLP")));
  EXPECT_THAT(Read("\x28\xb5\x2f\xfd zstd"), ElementsAre(HasSubstr("not compressed?")));
}

// Scenario: a directory in place of a file. Guarantees: it is not taken for an empty file.
TEST(OtlpFileTest, SaysWhatCanNotBeRead) {
  std::ifstream directory(testing::TempDir());
  EXPECT_EQ(OtlpFileReader("traces", directory).Next().status(),
            absl::DataLossError("traces: can't be read behind byte 0"));
}

TEST(OtlpFileTest, KnowsItsFormats) {
  EXPECT_EQ(*ParseOtlpFormat("json"), OtlpFormat::kJson);
  EXPECT_EQ(*ParseOtlpFormat("proto"), OtlpFormat::kProto);
  EXPECT_THAT(std::string(ParseOtlpFormat("xml").status().message()), HasSubstr("xml is none of json, proto"));
}

}  // namespace
}  // namespace spanloom::cli::store
