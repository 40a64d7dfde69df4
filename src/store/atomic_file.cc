// SPDX-License-Identifier: Apache-2.0

#include "store/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"

namespace spanloom::store {
namespace {

absl::StatusCode CodeOf(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return absl::StatusCode::kResourceExhausted;
    case ENOENT:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

}  // namespace

Status FileError(std::string_view action, std::string_view path, int error_number) {
  return {CodeOf(error_number),
          StrCat("can't ", action, " ", path, ": ", std::generic_category().message(error_number))};
}

Status SyncDirectoryOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return FileError("open directory", directory, errno);
  const int error_number = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error_number == 0 ? absl::OkStatus() : FileError("force to the disk", directory, error_number);
}

StatusOr<AtomicFile> AtomicFile::Create(std::string path) {
  const std::string temporary = path + ".tmp";
  const int descriptor = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (descriptor < 0) return FileError("create", temporary, errno);
  return AtomicFile(std::move(path), descriptor);
}

AtomicFile::AtomicFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {
  buffer_.reserve(kBufferBytes);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      buffer_(std::move(other.buffer_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_path().c_str());
}

Status AtomicFile::Append(std::string_view content) {
  while (!content.empty()) {
    const std::string_view part = content.substr(0, kBufferBytes - buffer_.size());
    buffer_ += part;
    content.remove_prefix(part.size());
    if (buffer_.size() == kBufferBytes) RETURN_IF_ERROR(Flush());
  }
  return absl::OkStatus();
}

Status AtomicFile::Flush() {
  for (std::string_view rest = buffer_; !rest.empty();) {
    const ssize_t written = write(descriptor_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return FileError("write", temporary_path(), errno);
    }
  }
  buffer_.clear();
  return absl::OkStatus();
}

Status AtomicFile::Commit() && {
  RETURN_IF_ERROR(Flush());
  if (fsync(descriptor_) != 0) return FileError("force to the disk", temporary_path(), errno);
  if (rename(temporary_path().c_str(), path_.c_str()) != 0) return FileError("rename to", path_, errno);
  close(std::exchange(descriptor_, -1));
  return SyncDirectoryOf(path_);
}

}  // namespace spanloom::store
