// SPDX-License-Identifier: Apache-2.0
//
// The bytes of a file on a disk that can lose power: what is seen, and what of it is safe.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"

namespace spanloom::store::disk {

// Keeps every change since the last sync. A value; thread-compatible.
class SimulatedFile {
 public:
  [[nodiscard]] const std::string& seen() const { return seen_; }

  void Write(uint64_t offset, std::string_view content);
  void Resize(uint64_t size_bytes);

  // All changes since the last sync are safe.
  void Sync();
  // A sync that failed: any part becomes safe, and the rest will not be written by a later one, though it is still
  // seen.
  void FailSync(Rng& rng);

  // What a power cut may leave. Sectors, of 512 or 4096 bytes, have each a version of their own since the last sync,
  // and so has the size; or the whole file has one; or nothing or everything was written.
  [[nodiscard]] std::string AfterPowerLoss(Rng& rng) const;

  // The file whose bytes are `content`, all of them safe.
  static SimulatedFile Safe(std::string content);

 private:
  struct Change {
    uint64_t offset = 0;      // of a write
    std::string content;      // of a write; empty: only the size changes
    uint64_t size_after = 0;  // of the file, after it
  };

  // `content` after the change, as far as it lies in [begin, begin + content.size()) of the file.
  static void Apply(const Change& change, uint64_t begin, std::string& content);
  [[nodiscard]] uint64_t SizeAfter(size_t changes) const;
  // The file of SizeAfter(`size_version`), whose sectors have the changes before `sector_version`().
  [[nodiscard]] std::string Assemble(size_t size_version, const std::function<size_t()>& sector_version,
                                     uint64_t sector_bytes, Rng& rng) const;

  std::string seen_;
  std::string safe_;             // as of the last sync
  std::vector<Change> changes_;  // since then, in order
};

}  // namespace spanloom::store::disk
