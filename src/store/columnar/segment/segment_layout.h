// SPDX-License-Identifier: Apache-2.0
//
// The fixed parts of a segment file: header, directory, footer. Format: docs/formats/segment.md, "Grammar".

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/columnar/segment/packed.h"
#include "store/columnar/segment/segment_sink.h"
#include "store/disk/disk.h"

namespace spanloom::store::columnar {

inline constexpr uint16_t kSegmentVersion = 1;
inline constexpr std::string_view kHeaderMagic = std::string_view("SPANSEG\0", 8);
inline constexpr std::string_view kFooterMagic = std::string_view("\0GESNAPS", 8);

// The order in the file.
enum class Section : uint8_t {
  kTotals,
  kColumns,
  kShapes,
  kOrigins,
  kTexts,
  kPages,
  kTraces,
  kOrder,
  kPool,
  kTextIndex,
  kSummaries,
};
inline constexpr size_t kSections = 11;

struct SectionRef {
  BlockRef block;
  uint64_t raw_bytes = 0;  // before compression
};

using Directory = std::array<SectionRef, kSections>;

void WriteHeader(SegmentSink& sink);
// Compresses `content`.
[[nodiscard]] SectionRef WriteSection(std::string_view content, SegmentSink& sink);
void WriteDirectory(const Directory& directory, SegmentSink& sink);

// Reads the directory. kDataLoss if the file is no segment, ends early or does not check; kFailedPrecondition if a
// newer version wrote it.
[[nodiscard]] StatusOr<Directory> ReadDirectory(const disk::File& file);

// Bytes of a file, with kPackedSlackBytes more that are readable behind them. Owns them.
class Block {
 public:
  Block() = default;
  explicit Block(size_t bytes)
      : memory_(std::make_unique_for_overwrite<char[]>(bytes + kPackedSlackBytes)), bytes_(bytes) {
    std::fill_n(memory_.get() + bytes, kPackedSlackBytes, '\0');
  }

  [[nodiscard]] const char* data() const { return memory_.get(); }
  [[nodiscard]] std::string_view view() const { return {memory_.get(), bytes_}; }
  [[nodiscard]] std::span<char> writable() { return {memory_.get(), bytes_}; }

 private:
  std::unique_ptr<char[]> memory_;  // [bytes_ + kPackedSlackBytes]
  size_t bytes_ = 0;
};

// Reads a block and checks it. kDataLoss if it does not check.
[[nodiscard]] StatusOr<Block> ReadBlock(const disk::File& file, const BlockRef& block);
// Reads a block that has no checksum of its own. kDataLoss if the file ends before it.
[[nodiscard]] StatusOr<Block> ReadParts(const disk::File& file, const BlockRef& block);
// kDataLoss if `content`, which was read from where the block lies, does not check.
[[nodiscard]] Status CheckBlock(std::string_view content, const BlockRef& block);

// Reads a section as it was before compression.
[[nodiscard]] StatusOr<std::string> ReadSection(const disk::File& file, const SectionRef& section);

}  // namespace spanloom::store::columnar
