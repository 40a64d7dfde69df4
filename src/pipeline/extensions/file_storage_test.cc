// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/file_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/metrics.h"
#include "base/text.h"
#include "net/loop.h"
#include "store/disk/temporary_directory.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class FileStorageTest : public testing::Test {
 protected:
  [[nodiscard]] std::string Path(const std::string& name) const { return directory_.path() + "/" + name; }
  [[nodiscard]] FileStorageExtension Make(FileStorageOptions options) const {
    return FileStorageExtension(std::move(options), context_);
  }

  store::disk::TemporaryDirectory directory_ = *store::disk::TemporaryDirectory::Make();
  net::LoopPool loops_{1};
  MetricRegistry metrics_;
  const BuildContext context_{.loops = loops_, .metrics = metrics_, .clock = Clock::System()};
};

// Scenario: a directory that is not there, with and without the option to make it.
// Guarantees: it is made, or the error says what to do.
TEST_F(FileStorageTest, MakesItsDirectoryIfToldSo) {
  FileStorageExtension refused = Make({.directory = Path("a")});
  const Status status = refused.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(StdView(status.message()), HasSubstr("create_directory: true"));
  FileStorageExtension made = Make({.directory = Path("a"), .create_directory = true});
  EXPECT_TRUE(made.Start().ok());
  EXPECT_TRUE(std::filesystem::is_directory(Path("a")));
  EXPECT_EQ(made.queue_storage()->directory, Path("a"));
  made.Stop(0ms);
}

// Scenario: two of them want one directory.
// Guarantees: the second gives up after its timeout and says who has it; it gets it when the first has stopped.
TEST_F(FileStorageTest, OwnsItsDirectory) {
  const FileStorageOptions options{.directory = Path("b"), .timeout = 1ms, .create_directory = true};
  FileStorageExtension first = Make(options);
  ASSERT_TRUE(first.Start().ok());
  const Status status = Make(options).Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(StdView(status.message()), HasSubstr("process"));
  first.Stop(0ms);
  FileStorageExtension second = Make(options);
  EXPECT_TRUE(second.Start().ok());
}

}  // namespace
}  // namespace spanloom::pipeline
