// SPDX-License-Identifier: Apache-2.0
//
// Whatever bytes are called compressed, in each coding: no crash, no more memory than the limit, and what was taken
// comes out the same after another round.

#include "base/check.h"
#include "net/compression.h"

namespace {

using spanloom::net::Compression;

constexpr size_t kBytesMax = 1 << 20;

void Decompress(Compression coding, std::string_view content) {
  const auto inflated = spanloom::net::Decompress(coding, content, kBytesMax);
  if (!inflated.ok()) return;
  CHECK(inflated->size() <= kBytesMax);
  const spanloom::Bytes deflated = spanloom::net::Compress(coding, inflated->view());
  const auto again = spanloom::net::Decompress(coding, deflated.view(), kBytesMax);
  CHECK(again.ok() && again->view() == inflated->view());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  for (const Compression coding : {Compression::kGzip, Compression::kDeflate, Compression::kZstd, Compression::kSnappy,
                                   Compression::kSnappyFramed, Compression::kLz4}) {
    Decompress(coding, content);
  }
  return 0;
}
