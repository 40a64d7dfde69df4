// SPDX-License-Identifier: Apache-2.0

#include "store/disk/posix_disk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "store/atomic_file.h"

namespace spanloom::store::disk {
namespace {

namespace fs = std::filesystem;

// Of one writev; the system allows IOV_MAX (1024). 128 keep the array on the stack small. Guess.
constexpr size_t kPartsPerWrite = 128;

// `call` again for as long as a signal interrupts it.
template <typename Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

Status StatusOf(int result, std::string_view action, std::string_view path) {
  return result == 0 ? absl::OkStatus() : FileError(action, path, errno);
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override { close(descriptor_); }

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> target) const override {
    size_t done = 0;
    while (done < target.size()) {
      const ssize_t read = Uninterrupted([&] {
        return pread(descriptor_, target.data() + done, target.size() - done, static_cast<off_t>(offset + done));
      });
      if (read < 0) return FileError("read", path_, errno);
      if (read == 0) break;
      done += static_cast<size_t>(read);
    }
    return done;
  }

  Status WriteAt(uint64_t offset, std::string_view content) override {
    while (!content.empty()) {
      const ssize_t written = Uninterrupted(
          [&] { return pwrite(descriptor_, content.data(), content.size(), static_cast<off_t>(offset)); });
      if (written < 0) return FileError("write", path_, errno);
      content.remove_prefix(static_cast<size_t>(written));
      offset += static_cast<uint64_t>(written);
    }
    return absl::OkStatus();
  }

  Status Append(std::span<const std::string_view> parts) override {
    ASSIGN_OR_RETURN(uint64_t offset, Size());
    size_t skip = 0;  // bytes of the first part that are written
    while (!parts.empty()) {
      ASSIGN_OR_RETURN(size_t written, WriteSome(parts, skip, offset));
      offset += written;
      written += skip;
      while (!parts.empty() && written >= parts.front().size()) {
        written -= parts.front().size();
        parts = parts.subspan(1);
      }
      skip = written;
    }
    return absl::OkStatus();
  }

  Status Sync() override {
    return StatusOf(Uninterrupted([&] { return fdatasync(descriptor_); }), "force to the disk", path_);
  }

  Status Truncate(uint64_t size_bytes) override {
    return StatusOf(Uninterrupted([&] { return ftruncate(descriptor_, static_cast<off_t>(size_bytes)); }), "truncate",
                    path_);
  }

  StatusOr<uint64_t> Size() const override {
    struct stat facts {};
    if (fstat(descriptor_, &facts) != 0) return FileError("look at", path_, errno);
    return static_cast<uint64_t>(facts.st_size);
  }

 private:
  // Writes at `offset` as much as one call takes of `parts`, without the first `skip` bytes.
  StatusOr<size_t> WriteSome(std::span<const std::string_view> parts, size_t skip, uint64_t offset) const {
    std::array<iovec, kPartsPerWrite> vectors;
    const size_t count = std::min(parts.size(), vectors.size());
    for (size_t i = 0; i < count; ++i) {
      // iovec has no const; writing only reads.
      vectors[i] = {.iov_base = const_cast<char*>(parts[i].data()), .iov_len = parts[i].size()};
    }
    vectors[0].iov_base = static_cast<char*>(vectors[0].iov_base) + skip;
    vectors[0].iov_len -= skip;
    const ssize_t written = Uninterrupted(
        [&] { return pwritev(descriptor_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset)); });
    if (written < 0) return FileError("write", path_, errno);
    return static_cast<size_t>(written);
  }

  const std::string path_;
  const int descriptor_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kCreateExclusive:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

}  // namespace

StatusOr<std::unique_ptr<File>> PosixDisk::Open(const std::string& path, OpenMode mode) {
  const int descriptor = Uninterrupted([&] { return open(path.c_str(), FlagsOf(mode) | O_CLOEXEC, 0640); });
  if (descriptor < 0) return FileError("open", path, errno);
  return std::make_unique<PosixFile>(path, descriptor);
}

StatusOr<bool> PosixDisk::Exists(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return FileError("look at", path, errno);
}

Status PosixDisk::Rename(const std::string& from, const std::string& to) {
  return StatusOf(rename(from.c_str(), to.c_str()), "rename", from + " to " + to);
}

Status PosixDisk::Remove(const std::string& path) {
  return StatusOf(unlink(path.c_str()), "remove", path);
}

Status PosixDisk::Link(const std::string& existing, const std::string& added) {
  return StatusOf(link(existing.c_str(), added.c_str()), "link", existing + " as " + added);
}

Status PosixDisk::CreateDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0750) == 0) return absl::OkStatus();
  const int error_number = errno;
  std::error_code error;
  if (error_number == EEXIST && fs::is_directory(path, error)) return absl::OkStatus();
  return FileError("create directory", path, error_number);
}

StatusOr<std::vector<std::string>> PosixDisk::List(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code of_entry;
    if (!entry->is_directory(of_entry)) names.push_back(entry->path().filename().string());
  }
  if (error) return FileError("list directory", directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

Status PosixDisk::SyncDirectory(const std::string& directory) {
  return SyncDirectoryOf(Join(directory, "any name in it"));
}

StatusOr<uint64_t> PosixDisk::FreeBytes(const std::string& directory) {
  struct statvfs facts {};
  if (Uninterrupted([&] { return statvfs(directory.c_str(), &facts); }) != 0) {
    return FileError("look at the file system of", directory, errno);
  }
  return static_cast<uint64_t>(facts.f_bavail) * facts.f_frsize;
}

}  // namespace spanloom::store::disk
