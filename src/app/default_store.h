// SPDX-License-Identifier: Apache-2.0
//
// What `spanloom serve` keeps traces with when nobody says: in the user's data directory, up to a bound.

#pragma once

#include <cstdint>
#include <string>

#include "config/node.h"

namespace spanloom::app {

inline constexpr uint64_t kDefaultStoreMib = 20'480;  // about 450 million spans at 45 bytes; guess

// {exporters: {spanloom_store: {data_dir: PATH}}}, as said by `source`.
[[nodiscard]] config::Node DataDirSettings(const std::string& data_dir, const config::Source& source);

// The same with a bound, retention.mib_max.
[[nodiscard]] config::Node DefaultStoreSettings(const std::string& data_dir);

}  // namespace spanloom::app
