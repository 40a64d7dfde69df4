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

StatusOr<std::string> ReadAll(int descriptor) {
  std::string content;
  std::array<char, 65536> piece;
  while (true) {
    const ssize_t bytes = read(descriptor, piece.data(), piece.size());
    if (bytes == 0) return content;
    if (bytes > 0) content.append(piece.data(), static_cast<size_t>(bytes));
    if (bytes < 0 && errno != EINTR) return Reason(errno);
  }
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Reason(errno);
  StatusOr<std::string> content = ReadAll(descriptor);
  close(descriptor);
  return content;
}

}  // namespace spanloom
