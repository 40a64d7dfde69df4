// SPDX-License-Identifier: Apache-2.0
//
// Where `spanloom serve` keeps traces when nobody says where: in the user's data directory.

#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::app {

inline constexpr uint64_t kDefaultStoreMib = 20'480;  // about 450 million spans at 45 bytes; guess

// $XDG_DATA_HOME/spanloom, else $HOME/.local/share/spanloom (XDG Base Directory Specification 0.8).
// kFailedPrecondition, with the options that help, if neither variable is an absolute path.
[[nodiscard]] StatusOr<std::string> DefaultDataDir();

// {exporters: {spanloom_store: {data_dir: PATH}}}, as said by `source`.
[[nodiscard]] config::Node DataDirSettings(const std::string& data_dir, const config::Source& source);

// The same with a bound, retention.mib_max.
[[nodiscard]] config::Node DefaultStoreSettings(const std::string& data_dir);

}  // namespace spanloom::app
