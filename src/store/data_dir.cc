// SPDX-License-Identifier: Apache-2.0

#include "store/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "store/atomic_file.h"

namespace spanloom::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockName = "LOCK";
constexpr std::string_view kProbeName = "probe";
constexpr std::string_view kAdvice = "make it writable for this user, or choose another data directory";

// `status` with the next step behind it.
Status WithAdvice(const Status& status, std::string_view advice) {
  return {status.code(), StrCat(StdView(status.message()), "; ", advice)};
}

std::string Rfc3339(int64_t unix_ns) {
  const std::time_t seconds = unix_ns / 1'000'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text.data(), size};
}

Status CreateDirectories(const std::string& path) {
  std::error_code error;
  const bool created = fs::create_directories(path, error);
  if (error == std::errc::not_a_directory || (!error && !fs::is_directory(path, error))) {
    return absl::InvalidArgumentError(StrCat("data directory ", path, ": it or a parent is not a directory"));
  }
  if (error) return FileError("create data directory", path, error.value());
  if (created) fs::permissions(path, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, error);
  return error ? FileError("set the mode of data directory", path, error.value()) : absl::OkStatus();
}

std::string ReadOwner(int descriptor) {
  std::array<char, 128> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  if (size <= 0) return "an unknown process";
  std::string owner(text.data(), static_cast<size_t>(size));
  return owner.substr(0, owner.find('\n'));
}

// Takes the lock of an open lock file.
Status Lock(int descriptor, const std::string& path) {
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  if (errno != EWOULDBLOCK) return FileError("lock", path, errno);
  return absl::FailedPreconditionError(StrCat("data directory ", path, " is in use by ", ReadOwner(descriptor),
                                              "; stop it, or give this process a directory of its own"));
}

Status WriteOwner(int descriptor, const std::string& path, const Clock& clock) {
  const std::string owner = StrCat("process ", getpid(), ", started ", Rfc3339(clock.UnixNs()), "\n");
  if (ftruncate(descriptor, 0) != 0) return FileError("truncate", path, errno);
  const ssize_t written = pwrite(descriptor, owner.data(), owner.size(), 0);
  if (written < 0) return FileError("write", path, errno);
  if (static_cast<size_t>(written) != owner.size()) return FileError("write", path, ENOSPC);
  return absl::OkStatus();
}

// Writes a file and takes it away again.
Status Probe(const std::string& path) {
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  RETURN_IF_ERROR(file.Append("is this directory writable?\n"));
  RETURN_IF_ERROR(std::move(file).Commit());
  return unlink(path.c_str()) == 0 ? absl::OkStatus() : FileError("remove", path, errno);
}

// "" unless it is an absolute path: others are to be ignored, says the specification.
std::string AbsolutePathOf(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && value[0] == '/' ? value : "";
}

}  // namespace

StatusOr<std::string> DefaultDataDir() {
  const std::string data_home = AbsolutePathOf("XDG_DATA_HOME");
  if (!data_home.empty()) return StrCat(data_home, "/spanloom");
  const std::string home = AbsolutePathOf("HOME");
  if (!home.empty()) return StrCat(home, "/.local/share/spanloom");
  return absl::FailedPreconditionError(
      "there is no directory to keep traces in: neither XDG_DATA_HOME nor HOME is set; say --data-dir DIR (or, to "
      "serve without one, --in-memory)");
}

StatusOr<DataDir> DataDir::Take(const std::string& path, const Clock& clock) {
  if (const Status created = CreateDirectories(path); !created.ok()) return WithAdvice(created, kAdvice);

  const std::string lock_path = (fs::path(path) / kLockName).string();
  const int descriptor = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) return WithAdvice(FileError("open", lock_path, errno), kAdvice);
  DataDir directory(path, descriptor);  // closes the descriptor on the way out of an error
  RETURN_IF_ERROR(Lock(descriptor, path));
  if (const Status written = WriteOwner(descriptor, lock_path, clock); !written.ok()) {
    return WithAdvice(written, kAdvice);
  }
  if (const Status probed = Probe(directory.File(kProbeName)); !probed.ok()) return WithAdvice(probed, kAdvice);
  return directory;
}

StatusOr<std::optional<std::string>> DataDir::OwnerOf(const std::string& path) {
  const std::string lock_path = (fs::path(path) / kLockName).string();
  const int descriptor = open(lock_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  if (descriptor < 0) return FileError("open", lock_path, errno);
  std::optional<std::string> owner;
  Status status;
  if (flock(descriptor, LOCK_SH | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      owner = ReadOwner(descriptor);
    } else {
      status = FileError("look for the owner of", lock_path, errno);
    }
  }
  close(descriptor);  // and lets go of the lock
  RETURN_IF_ERROR(status);
  return owner;
}

DataDir::DataDir(std::string path, int lock_descriptor) : path_(std::move(path)), lock_descriptor_(lock_descriptor) {}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), lock_descriptor_(std::exchange(other.lock_descriptor_, -1)) {}

DataDir::~DataDir() {
  if (lock_descriptor_ >= 0) close(lock_descriptor_);
}

std::string DataDir::File(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

}  // namespace spanloom::store
