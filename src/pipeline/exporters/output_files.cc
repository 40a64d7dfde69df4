// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/output_files.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "pipeline/exporters/rotating_file.h"

namespace spanloom::pipeline {
namespace {

constexpr mode_t kMode = 0600;  // prompts may be in it

int OpenOne(const std::string& path) {
  if (path == "stdout") return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (path == "stderr") return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  return open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kMode);
}

// False, and errno, if not all could be written.
bool WriteOne(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<size_t>(count));
    } else if (errno == EAGAIN) {  // whoever gave us the pipe reads it without waiting
      pollfd writable{.fd = descriptor, .events = POLLOUT, .revents = 0};
      if (poll(&writable, 1, -1) < 0 && errno != EINTR) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace

OutputFiles::~OutputFiles() {
  for (const int descriptor : descriptors_) close(descriptor);
}

Status OutputFiles::Open() {
  const MutexLock lock(mutex_);
  for (const std::string& path : paths_) {
    const int descriptor = OpenOne(path);
    if (descriptor < 0) return FileError("open", path);
    descriptors_.push_back(descriptor);
  }
  return absl::OkStatus();
}

Status OutputFiles::Write(std::string_view text) {
  const MutexLock lock(mutex_);
  Status status;
  for (size_t i = 0; i < descriptors_.size(); ++i) {
    if (!WriteOne(descriptors_[i], text)) status.Update(FileError("write to", paths_[i]));
  }
  return status;
}

}  // namespace spanloom::pipeline
