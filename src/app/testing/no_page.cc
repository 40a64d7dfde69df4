// SPDX-License-Identifier: Apache-2.0
//
// For tests: a binary without a page.

#include "app/page_assets.h"

namespace spanloom::app {

std::vector<query::page::StaticAsset> PageAssets() {
  return {};
}

}  // namespace spanloom::app
