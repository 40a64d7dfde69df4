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

// The settings of a store there, which is bounded: {exporters: {spanloom_store: {data_dir, retention}}}.
[[nodiscard]] config::Node DefaultStoreSettings(const std::string& data_dir);

}  // namespace spanloom::app
