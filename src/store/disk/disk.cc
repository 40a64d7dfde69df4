// SPDX-License-Identifier: Apache-2.0

#include "store/disk/disk.h"

#include "base/text.h"

namespace spanloom::store::disk {

std::string Join(std::string_view directory, std::string_view name) {
  return directory.ends_with('/') ? StrCat(directory, name) : StrCat(directory, "/", name);
}

std::string DirectoryOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

StatusOr<uint64_t> AppendAll(const File& from, File& to) {
  std::string buffer(1U << 20, '\0');  // guess
  for (uint64_t offset = 0;;) {
    ASSIGN_OR_RETURN(const size_t read, from.ReadAt(offset, buffer));
    if (read == 0) return offset;
    const std::string_view part = std::string_view(buffer).substr(0, read);
    RETURN_IF_ERROR(to.Append({&part, 1}));
    offset += read;
  }
}

}  // namespace spanloom::store::disk
