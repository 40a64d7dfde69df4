// SPDX-License-Identifier: Apache-2.0

#include "store/disk/testing/simulated_file.h"

#include <algorithm>
#include <utility>

namespace spanloom::store::disk {

void SimulatedFile::Write(uint64_t offset, std::string_view content) {
  if (content.empty()) return;
  const uint64_t end = offset + content.size();
  if (end > seen_.size()) seen_.resize(end, '\0');
  seen_.replace(offset, content.size(), content);
  changes_.push_back({.offset = offset, .content = std::string(content), .size_after = seen_.size()});
}

void SimulatedFile::Resize(uint64_t size_bytes) {
  seen_.resize(size_bytes, '\0');
  changes_.push_back({.offset = 0, .content = {}, .size_after = size_bytes});
}

void SimulatedFile::Sync() {
  // Not all that is seen: what a failed sync has forgotten stays forgotten.
  for (const Change& change : changes_) {
    safe_.resize(change.size_after, '\0');
    Apply(change, 0, safe_);
  }
  changes_.clear();
}

void SimulatedFile::FailSync(Rng& rng) {
  safe_ = AfterPowerLoss(rng);
  changes_.clear();
}

SimulatedFile SimulatedFile::Safe(std::string content) {
  SimulatedFile file;
  file.seen_ = std::move(content);
  file.safe_ = file.seen_;
  return file;
}

void SimulatedFile::Apply(const Change& change, uint64_t begin, std::string& content) {
  const uint64_t end = begin + content.size();
  const uint64_t from = std::max(begin, change.offset);
  const uint64_t to = std::min(end, change.offset + change.content.size());
  if (from < to) content.replace(from - begin, to - from, change.content, from - change.offset, to - from);
  if (change.size_after < end) {
    const uint64_t cut = change.size_after > begin ? change.size_after - begin : 0;
    std::fill(content.begin() + static_cast<ptrdiff_t>(cut), content.end(), '\0');
  }
}

uint64_t SimulatedFile::SizeAfter(size_t changes) const {
  return changes == 0 ? safe_.size() : changes_[changes - 1].size_after;
}

std::string SimulatedFile::Assemble(size_t size_version, const std::function<size_t()>& sector_version,
                                    uint64_t sector_bytes, Rng& rng) const {
  std::string file(SizeAfter(size_version), '\0');
  const bool is_noisy = rng.Below(4) == 0;
  for (uint64_t begin = 0; begin < file.size(); begin += sector_bytes) {
    std::string sector(std::min<uint64_t>(sector_bytes, file.size() - begin), '\0');
    if (is_noisy) {
      for (char& byte : sector) byte = static_cast<char>(rng.Next());
    }
    if (begin < safe_.size()) {
      const uint64_t size = std::min<uint64_t>(sector.size(), safe_.size() - begin);
      sector.replace(0, size, safe_, begin, size);
    }
    const size_t version = sector_version();
    for (size_t i = 0; i < version; ++i) Apply(changes_[i], begin, sector);
    file.replace(begin, sector.size(), sector);
  }
  return file;
}

std::string SimulatedFile::AfterPowerLoss(Rng& rng) const {
  const size_t count = changes_.size();
  const uint64_t sector_bytes = rng.Below(2) == 0 ? 512 : 4096;
  const size_t version = rng.Below(count + 1);
  switch (rng.Below(4)) {
    case 0:
      return safe_;
    case 1:
      return Assemble(
          count, [&] { return count; }, sector_bytes, rng);
    case 2:
      return Assemble(
          version, [&] { return version; }, sector_bytes, rng);
    default:
      return Assemble(
          version, [&] { return static_cast<size_t>(rng.Below(count + 1)); }, sector_bytes, rng);
  }
}

}  // namespace spanloom::store::disk
