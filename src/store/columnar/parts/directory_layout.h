// SPDX-License-Identifier: Apache-2.0
//
// The rooms of a store's directory. Beside them stand the catalogue (catalogue/catalogue.h) and LOCK
// (store/data_dir.h).

#pragma once

#include <string_view>

namespace spanloom::store::columnar {

inline constexpr std::string_view kSegmentDirectory = "segments";
inline constexpr std::string_view kLogDirectory = "log";
inline constexpr std::string_view kDamagedDirectory = "damaged";  // files that could not be read, kept for a look

}  // namespace spanloom::store::columnar
