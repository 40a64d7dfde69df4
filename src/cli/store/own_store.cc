// SPDX-License-Identifier: Apache-2.0

#include "cli/store/own_store.h"

#include <limits>
#include <utility>

namespace spanloom::cli::store {

StatusOr<std::unique_ptr<OwnStore>> OwnStore::Open(const std::string& directory, const Clock& clock) {
  ASSIGN_OR_RETURN(spanloom::store::DataDir data_dir, spanloom::store::DataDir::Take(directory, clock));
  std::unique_ptr<OwnStore> own(new OwnStore(std::move(data_dir)));
  const spanloom::store::columnar::ColumnarStoreOptions options = {
      .directory = directory,
      .compacts_by_itself = false,
      .compaction_bytes_per_second = std::numeric_limits<uint64_t>::max()};
  ASSIGN_OR_RETURN(own->opened_,
                   spanloom::store::columnar::ColumnarStore::Open(options, own->disk_, own->metrics_, clock));
  return own;
}

uint64_t OwnStore::bytes_merged() const {
  return metrics_.Sum("spanloom_store_merge_bytes", {{"direction", "read"}});
}

}  // namespace spanloom::cli::store
