// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a file of request rows: whatever it says of itself, all of it is read or refused, with memory in
// proportion to the file and to one chunk. Checksums hold in this build whatever they are (ReadBlock).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "store/columnar/requests/request_file.h"
#include "store/columnar/segment/testing/memory_file.h"

namespace spanloom::store::columnar {
namespace {

// Of the corpus (request_file_corpus_test.cc).
constexpr SegmentIdentity kSegment = {.id = 1, .bytes = 650, .spans = 2, .traces = 6};

void ReadAll(std::string content) {
  const auto file = RequestFile::Open(std::make_unique<MemoryFile>(std::make_shared<std::string>(std::move(content))),
                                      kSegment, std::nullopt);
  if (!file.ok()) return;
  for (const RequestChunkRef& ref : (*file)->index().chunks) {
    const auto chunk = (*file)->ReadChunk(ref);
    if (!chunk.ok()) continue;
    RequestRow row;
    for (size_t trace = 0; trace < ref.traces; ++trace) {
      if (!chunk->IsCovered(trace)) continue;
      const auto [begin, end] = chunk->RowsOf(trace);
      for (uint32_t i = begin; i < end; ++i) {
        chunk->Fill(i, TracePlace(), row);
        static_cast<void>(chunk->PlaceOf(i));
      }
    }
  }
}

}  // namespace
}  // namespace spanloom::store::columnar

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  spanloom::store::columnar::ReadAll(std::string(reinterpret_cast<const char*>(bytes), size));
  return 0;
}
