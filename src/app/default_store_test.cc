// SPDX-License-Identifier: Apache-2.0

#include "app/default_store.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::app {
namespace {

TEST(DefaultStore, IsBounded) {
  const config::Node settings = DefaultStoreSettings("/data/spanloom");
  const config::Node& store = *settings.Find("exporters")->Find("spanloom_store");
  EXPECT_EQ(store.Find("data_dir")->text(), "/data/spanloom");
  EXPECT_EQ(store.Find("retention")->Find("mib_max")->text(), StrCat(kDefaultStoreMib));
}

}  // namespace
}  // namespace spanloom::app
