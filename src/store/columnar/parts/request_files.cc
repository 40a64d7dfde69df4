// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/parts/request_files.h"

#include <utility>

#include "base/text.h"

namespace spanloom::store::columnar {

std::string RequestFiles::PathOf(const Segment& segment) const {
  return disk::Join(directory_, RequestFileName(segment.row().id));
}

std::string RequestFiles::UnfinishedPathOf(const Segment& segment) const {
  return StrCat(PathOf(segment), ".tmp");
}

StatusOr<std::shared_ptr<const RequestFile>> RequestFiles::Open(const Segment& segment, uint32_t anatomy_version) {
  const std::string path = PathOf(segment);
  ASSIGN_OR_RETURN(std::unique_ptr<disk::File> file, disk_.Open(path, disk::OpenMode::kRead));
  auto requests = RequestFile::Open(std::move(file), segment.identity(), anatomy_version);
  if (!requests.ok()) return Annotate(requests.status(), path);
  return requests;
}

// What a crash left under the temporary name is written over: it need not be gone.
StatusOr<uint64_t> RequestFiles::WriteContent(const Segment& segment, uint32_t anatomy_version,
                                              uint64_t derived_unix_ns,
                                              absl::FunctionRef<Status(RequestFileBuilder&)> add) {
  ASSIGN_OR_RETURN(const std::unique_ptr<disk::File> file,
                   disk_.Open(UnfinishedPathOf(segment), disk::OpenMode::kCreate));
  RETURN_IF_ERROR(file->Truncate(0));
  RequestFileBuilder builder(segment.identity(), anatomy_version, *file);
  RETURN_IF_ERROR(add(builder));
  return builder.Finish(derived_unix_ns);
}

StatusOr<uint64_t> RequestFiles::Write(const Segment& segment, uint32_t anatomy_version, uint64_t derived_unix_ns,
                                       absl::FunctionRef<Status(RequestFileBuilder&)> add) {
  StatusOr<uint64_t> rows = WriteContent(segment, anatomy_version, derived_unix_ns, add);
  if (!rows.ok()) Withdraw(segment);
  return rows;
}

StatusOr<std::shared_ptr<const RequestFile>> RequestFiles::Publish(const Segment& segment, uint32_t anatomy_version) {
  RETURN_IF_ERROR(disk_.Rename(UnfinishedPathOf(segment), PathOf(segment)));
  return Open(segment, anatomy_version);
}

void RequestFiles::Withdraw(const Segment& segment) {
  disk_.Remove(UnfinishedPathOf(segment)).IgnoreError();
}

}  // namespace spanloom::store::columnar
