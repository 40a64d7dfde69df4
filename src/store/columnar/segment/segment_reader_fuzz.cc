// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a segment: whatever it says of itself, all of it is read or refused, with memory in proportion to the
// file. Checksums hold in this build whatever they are (ReadBlock), so that what they guard is reached.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/columnar/segment/segment_reader.h"
#include "store/columnar/segment/testing/memory_file.h"

namespace spanloom::store::columnar {
namespace {

constexpr size_t kBytesMax = 16U << 20;

void ReadTrace(const SegmentReader& reader, const TracePlace& place) {
  static_cast<void>(reader.ReadSpans(place, kBytesMax).ok());
  static_cast<void>(reader.RowOf(place));
  static_cast<void>(reader.Find(place.id()).ok());
  std::vector<StoredSpan> last;
  SegmentBlocks blocks = reader.MakeBlocks();
  SpanReader spans(place, blocks);
  static_cast<void>(spans.Read(place.rows() - 1, place.rows(), last).ok());
}

void ReadAll(std::string content) {
  const auto reader =
      SegmentReader::Open(std::make_unique<MemoryFile>(std::make_shared<std::string>(std::move(content))));
  if (!reader.ok()) return;
  size_t left = 64;  // traces; more of them say nothing new
  for (const TraceChunkRef& chunk : (*reader)->index().trace_chunks()) {
    const auto places = (*reader)->TracesOf(chunk);
    if (!places.ok()) continue;
    for (const TracePlace& place : *places) {
      if (left-- == 0) return;
      ReadTrace(**reader, place);
    }
  }
  static_cast<void>((*reader)->PagesWithText("chatcmpl-0123456789abcdef").ok());
  if (!(*reader)->prefixes().empty()) static_cast<void>((*reader)->IdsWithPrefix((*reader)->prefixes().front()));
}

}  // namespace
}  // namespace spanloom::store::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::store::columnar::ReadAll(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
