// SPDX-License-Identifier: Apache-2.0
//
// The page as the binary carries it; the definition is written by tools/pack_page.py at build time.

#pragma once

#include <vector>

#include "query/page/static_page.h"

namespace spanloom::app {

// Every file of the built page. The bytes live as long as the process.
std::vector<query::page::StaticAsset> PageAssets();

}  // namespace spanloom::app
