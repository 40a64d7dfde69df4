// SPDX-License-Identifier: Apache-2.0
//
// The worked example of docs/formats/segment.md.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store::columnar {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) StrAppend(hex, absl::Hex(static_cast<uint8_t>(byte), absl::kZeroPad2));
  return hex;
}

// In the order of the directory.
const std::vector<std::string> kExampleSections = {
    "020100e807d00f",
    "0602000b74726163655f73746174650200046e616d650201046e616d6502000e7374617475735f6d6573736167650800037261770400016e",
    "050002001901011902011900060001020608090008000102040608090a05",
    "01150a130a0c736572766963652e6e616d6512030a0173000000",
    "02000201610162",
    "0100e807e80710020001000000000000000000a62346b302030100000000008080808080808080010100000000000000b81704010000000000"
    "8080808080808080020000020100010000e8070000e8070000050000",
    "01000001110000000000000000008080808080808080070000020000e8070000b8170000e807000000000000000000000000000002",
    "000000",
    "010000",
    "0a00",
    "0101017301610101730200"};

// Scenario: one trace of two spans, the second one a child of the first, with an attribute.
// Guarantees: the bytes on that page.
TEST(SegmentExample, IsWhatThePageSays) {
  const SpanSpec root = {
      .trace_id = MakeTraceId(7), .span_id = MakeSpanId(1), .name = "a", .start_unix_ns = 1'000, .end_unix_ns = 4'000};
  const SpanSpec child = {.trace_id = MakeTraceId(7),
                          .span_id = MakeSpanId(2),
                          .parent_span_id = MakeSpanId(1),
                          .name = "b",
                          .start_unix_ns = 2'000,
                          .end_unix_ns = 3'000,
                          .attributes = {{"n", int64_t{5}}}};
  const auto content = std::make_shared<std::string>();
  MemoryFile file(content);
  SegmentBuilder builder(file);
  builder.Add(TraceOf(RequestBuilder().FromService("s").Add(root).Add(child).Build()), 2);
  ASSERT_TRUE(builder.Finish().ok());

  EXPECT_EQ(Hex(content->substr(0, 17)), "5350414e53454700010000000000000002");
  const auto directory = ReadDirectory(file);
  ASSERT_TRUE(directory.ok()) << directory.status();
  std::vector<std::string> sections;
  for (const SectionRef& section : *directory) sections.push_back(Hex(*ReadSection(file, section)));
  EXPECT_THAT(sections, testing::ElementsAreArray(kExampleSections));
}

}  // namespace
}  // namespace spanloom::store::columnar
