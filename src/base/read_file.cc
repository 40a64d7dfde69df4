// SPDX-License-Identifier: Apache-2.0

#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace spanloom {
namespace {

Status Reason(int error_number) {
  return {absl::ErrnoToStatusCode(error_number), std::generic_category().message(error_number)};
}

StatusOr<std::string> ReadAll(int descriptor, size_t bytes_max) {
  std::string content;
  std::array<char, 65536> piece;
  while (true) {
    const ssize_t bytes = read(descriptor, piece.data(), piece.size());
    if (bytes == 0) return content;
    if (bytes > 0) content.append(piece.data(), static_cast<size_t>(bytes));
    if (content.size() > bytes_max) return Reason(EFBIG);
    if (bytes < 0 && errno != EINTR) return Reason(errno);
  }
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, size_t bytes_max) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Reason(errno);
  StatusOr<std::string> content = ReadAll(descriptor, bytes_max);
  close(descriptor);
  return content;
}

}  // namespace spanloom
