// SPDX-License-Identifier: Apache-2.0

#include "store/disk/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "store/atomic_file.h"

namespace spanloom::store::disk {

namespace fs = std::filesystem;

StatusOr<TemporaryDirectory> TemporaryDirectory::Make() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  if (error) return FileError("find the directory for temporary files", "$TMPDIR", error.value());
  std::string path = (parent / "spanloom_XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) return FileError("create", path, errno);
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code error;
  fs::remove_all(path_, error);
}

}  // namespace spanloom::store::disk
