// SPDX-License-Identifier: Apache-2.0

#include "app/default_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace spanloom::app {
namespace {

// The variables as the test wants them, and as they were afterwards.
class DefaultDataDirTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* const name : {"XDG_DATA_HOME", "HOME"}) {
      const char* const value = std::getenv(name);
      before_.emplace_back(name, value == nullptr ? std::nullopt : std::optional<std::string>(value));
      unsetenv(name);
    }
  }
  void TearDown() override {
    for (const auto& [name, value] : before_) {
      value ? setenv(name.c_str(), value->c_str(), 1) : unsetenv(name.c_str());
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

TEST_F(DefaultDataDirTest, IsTheUsers) {
  setenv("HOME", "/home/ada", 1);
  EXPECT_EQ(*DefaultDataDir(), "/home/ada/.local/share/spanloom");
  setenv("XDG_DATA_HOME", "/data", 1);
  EXPECT_EQ(*DefaultDataDir(), "/data/spanloom");
  setenv("XDG_DATA_HOME", "not/absolute", 1);
  EXPECT_EQ(*DefaultDataDir(), "/home/ada/.local/share/spanloom");
}

TEST_F(DefaultDataDirTest, SaysWhatToDoWithoutOne) {
  const Status status = DefaultDataDir().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_NE(status.message().find("--in-memory"), std::string::npos);
}

TEST(DefaultStore, IsBounded) {
  const config::Node settings = DefaultStoreSettings("/data/spanloom");
  const config::Node& store = *settings.Find("exporters")->Find("spanloom_store");
  EXPECT_EQ(store.Find("data_dir")->text(), "/data/spanloom");
  EXPECT_EQ(store.Find("retention")->Find("mib_max")->text(), StrCat(kDefaultStoreMib));
}

}  // namespace
}  // namespace spanloom::app
