// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/disk/disk.h"

#include "base/text.h"

namespace spanloom::store::columnar::disk {

std::string Join(std::string_view directory, std::string_view name) {
  return directory.ends_with('/') ? StrCat(directory, name) : StrCat(directory, "/", name);
}

std::string DirectoryOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace spanloom::store::columnar::disk
