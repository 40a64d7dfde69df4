// SPDX-License-Identifier: Apache-2.0
//
// Files whose paths differ in one place, by what was sent: of a pattern such as "/data/*/spans.json" the star is
// replaced. No path leads out of what stands before the star, whatever was sent.

#pragma once

#include <absl/container/flat_hash_set.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "pipeline/exporters/rotating_file.h"
#include "pipeline/processors/lru_map.h"

namespace spanloom::pipeline {

// Makes `directory` and those above it, with `mode` less the process's umask. What is there stays as it is.
// Errors: FileError, of the one that could not be made.
Status MakeDirectories(const std::string& directory, mode_t mode);

struct GroupedFilesOptions {
  std::string before = {};  // of the star
  std::string after = {};
  size_t open_max = 100;         // files; the one that was not written to for longest is closed
  bool keeps = false;            // what is in a file when it is opened for the first time
  mode_t directory_mode = 0755;  // of directories, which are made as they are needed
};

// PathOf is thread-safe, Append thread-compatible; it may block on the disk.
class GroupedFiles {
 public:
  // `clock` must outlive it.
  GroupedFiles(GroupedFilesOptions options, const Clock& clock);

  // Where `segment` leads. ".." and "." in it are resolved within it, as if it began at a root: "../../etc/x" is
  // "etc/x". nullopt if it can be no part of a path: without a name, with a zero byte, or with names that are too long.
  [[nodiscard]] std::optional<std::string> PathOf(std::string_view segment) const;

  // As RotatingFile::Append, to the file that PathOf says.
  Status Append(const std::string& path, std::string_view record);

 private:
  // The open file, or why there is none.
  StatusOr<RotatingFile*> Find(const std::string& path);

  const GroupedFilesOptions options_;
  const Clock& clock_;
  LruMap<std::string, std::unique_ptr<RotatingFile>> open_;
  absl::flat_hash_set<uint64_t> begun_;  // hashes of paths that were opened; they are not emptied again
};

}  // namespace spanloom::pipeline
