// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/grouped_files.h"

#include <absl/hash/hash.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kBegunMax = 1'000'000;  // some 10 bytes each; what comes later is kept as if `keeps` were set. Guess

// `segment` without "." and with ".." resolved.
std::string Resolved(std::string_view segment) {
  std::vector<absl::string_view> names;
  for (const absl::string_view name : absl::StrSplit(AbslView(segment), '/')) {
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (!names.empty()) {
      names.pop_back();
    }
  }
  return absl::StrJoin(names, "/");
}

bool HasUsableNames(const std::string& path) {
  if (path.size() >= PATH_MAX || path.find('\0') != std::string::npos || path.ends_with('/')) return false;
  for (const absl::string_view name : absl::StrSplit(path, '/')) {
    if (name.size() > NAME_MAX) return false;
  }
  return true;
}

}  // namespace

Status MakeDirectories(const std::string& directory, mode_t mode) {
  for (size_t end = 0; end != std::string::npos;) {
    end = directory.find('/', end + 1);
    const std::string part = directory.substr(0, end);
    if (part.empty() || mkdir(part.c_str(), mode) == 0 || errno == EEXIST) continue;
    return FileError("make", part);
  }
  return absl::OkStatus();
}

GroupedFiles::GroupedFiles(GroupedFilesOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), open_(options_.open_max) {}

std::optional<std::string> GroupedFiles::PathOf(std::string_view segment) const {
  // What follows the star may end a name, or begin another: it is resolved together with the segment.
  const std::string resolved = Resolved(StrCat(segment, options_.after));
  if (resolved.empty()) return std::nullopt;
  std::string path = StrCat(options_.before, resolved);
  return HasUsableNames(path) ? std::optional(std::move(path)) : std::nullopt;
}

StatusOr<RotatingFile*> GroupedFiles::Find(const std::string& path) {
  if (auto* const open = open_.Find(path)) return open->get();
  RETURN_IF_ERROR(MakeDirectories(std::filesystem::path(path).parent_path().string(), options_.directory_mode));
  const uint64_t hash = absl::Hash<std::string>()(path);
  auto file = std::make_unique<RotatingFile>(path, std::nullopt, clock_);
  RETURN_IF_ERROR(file->Open(options_.keeps || begun_.contains(hash) || begun_.size() >= kBegunMax));
  begun_.insert(hash);
  RotatingFile* const opened = file.get();
  open_.Put(path, std::move(file));
  return opened;
}

Status GroupedFiles::Append(const std::string& path, std::string_view record) {
  ASSIGN_OR_RETURN(RotatingFile * file, Find(path));
  return file->Append(record);
}

}  // namespace spanloom::pipeline
