// SPDX-License-Identifier: Apache-2.0
//
// The corpus of segment_reader_fuzz: small segments, their sections not compressed, so that bytes that are changed mean
// something. SPANLOOM_WRITE_CORPUS=1 writes it anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/test_data.h"
#include "base/text.h"
#include "store/columnar/segment/segment_builder.h"
#include "store/columnar/segment/segment_layout.h"
#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/segment/testing/memory_file.h"
#include "store/conformance/request_builder.h"
#include "store/conformance/stored_traces.h"

namespace spanloom::store::columnar {
namespace {

using Content = std::shared_ptr<std::string>;  // shared with files

Content Build(const std::vector<Trace>& traces) {
  auto content = std::make_shared<std::string>();
  MemoryFile file(content);
  SegmentBuilder builder(file);
  for (const Trace& trace : traces) builder.Add(trace, 1);
  EXPECT_TRUE(builder.Finish().ok());
  return content;
}

// The same segment with its sections as they were before compression.
Content Expand(const Content& content) {
  const MemoryFile file(content);
  const auto directory = ReadDirectory(file);
  EXPECT_TRUE(directory.ok()) << directory.status();
  auto expanded = std::make_shared<std::string>();
  MemoryFile target(expanded);
  SegmentSink sink(target);
  uint64_t pages_end = content->size();
  for (const SectionRef& section : *directory) pages_end = std::min(pages_end, section.block.offset);
  sink.Append(std::string_view(*content).substr(0, pages_end));
  Directory sections;
  for (size_t i = 0; i < kSections; ++i) {
    const auto section = ReadSection(file, (*directory)[i]);
    EXPECT_TRUE(section.ok()) << section.status();
    sections[i] = {.block = sink.Append(*section), .raw_bytes = section->size()};
  }
  WriteDirectory(sections, sink);
  EXPECT_TRUE(sink.Flush().ok());
  return expanded;
}

Trace SmallTrace(uint64_t number) {
  const SpanSpec root = {
      .trace_id = MakeTraceId(number), .span_id = MakeSpanId(number * 10), .start_unix_ns = 1'000 * number};
  return TraceOf(RequestBuilder().FromService("a").Add(root).Build());
}

Trace RichTrace(uint64_t number) {
  SpanSpec root = {.trace_id = MakeTraceId(number),
                   .span_id = MakeSpanId(number * 10),
                   .name = "root",
                   .kind = otlp::SpanKind::kServer,
                   .start_unix_ns = 1'000 * number,
                   .end_unix_ns = 1'000 * number + 77,
                   .attributes = {{"request.id", StrCat("chatcmpl-0123456789abcdef", number, number)},
                                  {"tokens", int64_t{5}},
                                  {"ttft", 0.25},
                                  {"stream", true},
                                  {"tags", MakeArray({std::string("x"), int64_t{1}})}},
                   .events = {{.time_unix_ns = 1'000 * number + 3, .name = "token", .attributes = {{"id", "1"}}}},
                   .links = {{.trace_id = MakeTraceId(99), .span_id = MakeSpanId(98)}},
                   .status_code = otlp::StatusCode::kError,
                   .status_message = "no",
                   .trace_state = "a=b",
                   .flags = 1};
  SpanSpec child = root;
  child.span_id = MakeSpanId(number * 10 + 1);
  child.parent_span_id = root.span_id;
  child.start_unix_ns += 5;
  SpanSpec orphan = child;
  orphan.span_id = MakeSpanId(number * 10 + 2);
  orphan.parent_span_id = MakeSpanId(12'345);
  return TraceOf(RequestBuilder().FromService("a").Add(root).FromService("b").Add(child).Add(orphan).Build());
}

std::vector<std::pair<std::string, Content>> MakeCorpus() {
  std::vector<Trace> many;
  for (uint64_t i = 1; i <= 12; ++i) many.push_back(i % 2 == 0 ? SmallTrace(i) : RichTrace(i));
  return {{"one_span", Expand(Build({SmallTrace(1)}))},
          {"rich", Expand(Build({RichTrace(1)}))},
          {"many", Expand(Build(many))},
          {"compressed", Build(many)}};
}

TEST(SegmentCorpus, IsReadWhole) {
  for (const auto& [name, content] : MakeCorpus()) {
    const std::string path = TestData() / "../corpus/store/segment_reader" / name;
    if (std::getenv("SPANLOOM_WRITE_CORPUS") != nullptr) std::ofstream(path, std::ios::binary) << *content;
    std::ifstream file(path, std::ios::binary);
    const auto read =
        std::make_shared<std::string>(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    const auto reader = SegmentReader::Open(std::make_unique<MemoryFile>(read));
    ASSERT_TRUE(reader.ok()) << path << ": " << reader.status();
    const auto places = (*reader)->TracesOf((*reader)->index().trace_chunks().front());
    ASSERT_TRUE(places.ok()) << places.status();
    for (const TracePlace& place : *places) EXPECT_TRUE((*reader)->ReadSpans(place, 1U << 20).ok());
  }
}

}  // namespace
}  // namespace spanloom::store::columnar
