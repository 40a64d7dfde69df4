// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/segment_layout.h"

#include "base/text.h"
#include "store/columnar/segment/byte_reader.h"
#include "store/columnar/segment/byte_writer.h"
#include "store/columnar/segment/compressed.h"
#include "store/columnar/segment/packed.h"
#include "store/crc32c.h"

namespace spanloom::store::columnar {
namespace {

constexpr uint64_t kHeaderBytes = 16;
constexpr uint64_t kFooterBytes = 32;
constexpr uint64_t kSectionRefBytes = 32;
constexpr uint64_t kRawBytesMax = uint64_t{1} << 32;  // of a section; the largest, all dictionaries, has some MiB

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kChecks = false;  // else a fuzzer sees nothing but checksums that do not match
#else
constexpr bool kChecks = true;
#endif

StatusOr<Block> ReadExactly(const disk::File& file, uint64_t offset, uint64_t bytes) {
  Block block(bytes);
  ASSIGN_OR_RETURN(const size_t read, file.ReadAt(offset, block.writable()));
  if (read != bytes) return absl::DataLossError("the file ends early");
  return block;
}

}  // namespace

void WriteHeader(SegmentSink& sink) {
  std::string header(kHeaderMagic);
  ByteWriter writer(header);
  writer.U16(kSegmentVersion);
  writer.U16(0);
  writer.U32(0);
  sink.Append(header);
}

SectionRef WriteSection(std::string_view content, SegmentSink& sink) {
  return {.block = sink.Append(Compress(content)), .raw_bytes = content.size()};
}

void WriteDirectory(const Directory& directory, SegmentSink& sink) {
  std::string out;
  ByteWriter writer(out);
  for (const SectionRef& section : directory) {
    writer.U64(section.block.offset);
    writer.U64(section.block.bytes);
    writer.U64(section.raw_bytes);
    writer.U32(section.block.crc);
    writer.U32(0);
  }
  const BlockRef block = sink.Append(out);
  out.clear();
  writer.U64(block.offset);
  writer.U64(block.bytes);
  writer.U32(block.crc);
  writer.U16(kSegmentVersion);
  writer.U16(0);
  out.append(kFooterMagic);
  sink.Append(out);
}

StatusOr<Block> ReadBlock(const disk::File& file, const BlockRef& block) {
  ASSIGN_OR_RETURN(Block content, ReadParts(file, block));
  RETURN_IF_ERROR(CheckBlock(content.view(), block));
  return content;
}

StatusOr<Block> ReadParts(const disk::File& file, const BlockRef& block) {
  return ReadExactly(file, block.offset, block.bytes);
}

Status CheckBlock(std::string_view content, const BlockRef& block) {
  if (!kChecks || Crc32c(content) == block.crc) return absl::OkStatus();
  return absl::DataLossError(StrCat("the block at ", block.offset, " does not check"));
}

StatusOr<Directory> ReadDirectory(const disk::File& file) {
  ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size < kHeaderBytes + kFooterBytes) return absl::DataLossError("the file is too short to be a segment");
  ASSIGN_OR_RETURN(const Block header, ReadExactly(file, 0, kHeaderBytes));
  ASSIGN_OR_RETURN(const Block footer, ReadExactly(file, size - kFooterBytes, kFooterBytes));
  ByteReader reader(footer.view());
  BlockRef block = {.offset = reader.U64(), .bytes = reader.U64()};
  block.crc = reader.U32();
  const uint16_t version = reader.U16();
  if (!header.view().starts_with(kHeaderMagic)) return absl::DataLossError("the file does not begin as a segment does");
  if (!footer.view().ends_with(kFooterMagic)) return absl::DataLossError("the file does not end as a segment does");
  ByteReader header_reader(header.view());
  header_reader.Bytes(kHeaderMagic.size());
  if (version == 0 || header_reader.U16() != version) {
    return absl::DataLossError("the file does not say which version it has");
  }
  if (version > kSegmentVersion) {
    return absl::FailedPreconditionError(StrCat("the segment has format version ", version,
                                                ", this binary reads up to ", kSegmentVersion,
                                                "; run the newer Spanloom that wrote it"));
  }
  const bool has_zeros = header_reader.U16() == 0 && header_reader.U32() == 0 && reader.U16() == 0;
  if (!has_zeros) return absl::DataLossError("there is something where version 1 has zeros");
  if (!block.LiesWithin(size - kFooterBytes) || block.bytes != kSections * kSectionRefBytes) {
    return absl::DataLossError("the footer does not name a directory");
  }
  ASSIGN_OR_RETURN(const Block content, ReadBlock(file, block));
  Directory directory;
  ByteReader entries(content.view());
  for (SectionRef& section : directory) {
    section.block.offset = entries.U64();
    section.block.bytes = entries.U64();
    section.raw_bytes = entries.U64();
    section.block.crc = entries.U32();
    entries.U32();
    if (!section.block.LiesWithin(size) || section.raw_bytes > kRawBytesMax)
      return absl::DataLossError("a section lies outside of the file");
  }
  return directory;
}

StatusOr<std::string> ReadSection(const disk::File& file, const SectionRef& section) {
  ASSIGN_OR_RETURN(const Block stored, ReadBlock(file, section.block));
  return Decompress(stored.view(), section.raw_bytes);
}

}  // namespace spanloom::store::columnar
