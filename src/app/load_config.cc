// SPDX-License-Identifier: Apache-2.0

#include "app/load_config.h"

#include <utility>

#include "app/config_sources.h"
#include "app/default_store.h"
#include "config/merge.h"
#include "store/data_dir.h"

namespace spanloom::app {
namespace {

// Files say themselves whether the store is on disk.
bool UsesDefaultStore(const ServeArguments& arguments) {
  return arguments.config_files.empty() && arguments.data_dir.empty() && !arguments.in_memory;
}

}  // namespace

StatusOr<ComposedConfig> LoadConfig(const ServeArguments& arguments, std::stop_token hurry) {
  ASSIGN_OR_RETURN(config::Node user, ReadConfiguration(arguments.config_files, arguments.settings, std::move(hurry)));
  if (UsesDefaultStore(arguments)) {
    ASSIGN_OR_RETURN(const std::string data_dir, store::DefaultDataDir());
    user = config::Merge(DefaultStoreSettings(data_dir), user);
  }
  if (!arguments.data_dir.empty())
    user = config::Merge(user, DataDirSettings(arguments.data_dir, {.file = "--data-dir"}));
  return ComposeConfig(user, {.listen_host = arguments.listen_host, .append_store = arguments.append_store});
}

}  // namespace spanloom::app
