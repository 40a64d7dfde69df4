// SPDX-License-Identifier: Apache-2.0
//
// For tests: a file in memory, whose content can be changed behind its back.

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "store/disk/disk.h"

namespace spanloom::store::columnar {

// Can be appended to and read. Thread-compatible.
class MemoryFile final : public disk::File {
 public:
  explicit MemoryFile(std::shared_ptr<std::string> content) : content_(std::move(content)) {}

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> target) const override {
    if (offset >= content_->size()) return size_t{0};
    return content_->copy(target.data(), target.size(), offset);
  }
  Status WriteAt(uint64_t, std::string_view) override { return absl::UnimplementedError(""); }
  Status Append(std::span<const std::string_view> parts) override {
    for (const std::string_view part : parts) content_->append(part);
    return absl::OkStatus();
  }
  Status Sync() override { return absl::OkStatus(); }
  Status Truncate(uint64_t) override { return absl::UnimplementedError(""); }
  StatusOr<uint64_t> Size() const override { return content_->size(); }

 private:
  std::shared_ptr<std::string> content_;  // shared with the test
};

}  // namespace spanloom::store::columnar
