// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "pipeline/testing/fake_consumer.h"
#include "store/disk/testing/simulated_disk.h"

namespace spanloom::pipeline {
namespace {

using store::disk::SimulatedDisk;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr RequestForm kForm = {.signal = otlp::Signal::kLogs, .compression = net::Compression::kZstd};

std::shared_ptr<RequestLog> Open(const std::shared_ptr<SimulatedDisk>& disk, const RequestLog::Options& options = {}) {
  auto log = RequestLog::Open(disk, "/queue", options);
  EXPECT_TRUE(log.ok()) << log.status();
  return log.ok() ? *log : nullptr;
}

StatusOr<std::vector<uint64_t>> Append(RequestLog& log, const std::vector<std::string>& messages) {
  std::vector<ExportRequest> requests;
  for (const std::string& message : messages) {
    requests.push_back({.message = ByteChain(Bytes::CopyOf(message)), .spans = message.size(), .encoded_bytes = 1'000});
  }
  Notification there;
  StatusOr<std::vector<uint64_t>> answer = absl::UnknownError("");
  log.Append(std::move(requests), kForm, [&](StatusOr<std::vector<uint64_t>> sequences) {
    answer = std::move(sequences);
    there.Notify();
  });
  CHECK(there.WaitFor(kPatience));
  return answer;
}

// The messages that wait in `log`, read in pieces of about `bytes`.
std::vector<std::string> Messages(const RequestLog& log, size_t bytes = 1 << 20) {
  std::vector<std::string> messages;
  uint64_t next = 1;
  while (true) {
    const auto read = log.Read(next, bytes);
    EXPECT_TRUE(read.ok()) << read.status();
    if (!read.ok() || read->empty()) return messages;
    for (const LoggedRequest& logged : *read) {
      messages.emplace_back(logged.request.message.Joined().view());
      EXPECT_EQ(logged.form, kForm);
      EXPECT_EQ(logged.request.spans, logged.request.message.size());
      EXPECT_EQ(logged.request.encoded_bytes, 1'000U);
      next = logged.sequence + 1;
    }
  }
}

// Scenario: requests are written, some delivered; the log is opened again.
// Guarantees: what was not delivered is there, in order, with all that is known of it.
TEST(RequestLog, KeepsWhatWaits) {
  const auto disk = std::make_shared<SimulatedDisk>();
  {
    const auto log = Open(disk);
    EXPECT_THAT(log->found(), IsEmpty());
    const auto first = Append(*log, {"a", "bb"});
    ASSERT_TRUE(first.ok());
    const auto second = Append(*log, {"ccc"});
    ASSERT_TRUE(second.ok());
    EXPECT_THAT(Messages(*log), ElementsAre("a", "bb", "ccc"));
    log->Forget(std::vector<uint64_t>{(*first)[1]});
    EXPECT_THAT(Messages(*log), ElementsAre("a", "ccc"));
  }
  const auto log = Open(disk);
  ASSERT_EQ(log->found().size(), 2U);
  EXPECT_EQ(log->found()[1].spans, 3U);
  EXPECT_EQ(log->found()[1].encoded_bytes, 1'000U);
  EXPECT_EQ(log->found()[1].message_bytes, 3U);
  EXPECT_THAT(Messages(*log, 1), ElementsAre("a", "ccc"));
  ASSERT_TRUE(Append(*log, {"d"}).ok());
  EXPECT_THAT(Messages(*log), ElementsAre("a", "ccc", "d"));
}

// Scenario: more than a file holds, all of it delivered.
// Guarantees: no file is left.
TEST(RequestLog, RemovesFilesOfWhatWasDelivered) {
  const auto disk = std::make_shared<SimulatedDisk>();
  {
    const auto log = Open(disk, {.file_bytes_max = 100});
    std::vector<uint64_t> sequences;
    for (int i = 0; i < 20; ++i) sequences.push_back((*Append(*log, {std::string(50, 'x')}))[0]);
    EXPECT_GT(disk->List("/queue")->size(), 5U);
    log->Forget(sequences);
  }
  EXPECT_THAT(*disk->List("/queue"), IsEmpty());
  EXPECT_THAT(Open(disk)->found(), IsEmpty());
}

// Scenario: the first of many requests waits on while those behind it are delivered.
// Guarantees: after a start the others do not come back.
TEST(RequestLog, RemembersWhatWasDeliveredBehindOneThatWaits) {
  const auto disk = std::make_shared<SimulatedDisk>();
  {
    const auto log = Open(disk, {.file_bytes_max = 100});
    ASSERT_TRUE(Append(*log, {"stays"}).ok());
    for (int i = 0; i < 10; ++i) log->Forget(std::vector<uint64_t>{(*Append(*log, {std::string(50, 'x')}))[0]});
  }
  EXPECT_THAT(Messages(*Open(disk)), ElementsAre("stays"));
}

// Scenario: the disk is full for a while.
// Guarantees: what does not fit is refused and not there later; what fits again is taken.
TEST(RequestLog, RefusesWhatTheDiskDoesNotTake) {
  const auto disk = std::make_shared<SimulatedDisk>();
  const auto log = Open(disk);
  ASSERT_TRUE(Append(*log, {"a"}).ok());
  disk->SetCapacity(1);
  const auto refused = Append(*log, {"b"});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted) << refused.status();
  disk->SetCapacity(1 << 20);
  ASSERT_TRUE(Append(*log, {"c"}).ok());
  EXPECT_THAT(Messages(*log), ElementsAre("a", "c"));
}

// Scenario: the process ends at each change of the disk in turn, and once more the power fails.
// Guarantees: what was acknowledged is found; forced, after a loss of power too.
TEST(RequestLog, LosesNothingAcknowledgedAtAnyCrash) {
  for (const bool forces : {false, true}) {
    for (uint64_t at = 0;; ++at) {
      const auto disk = std::make_shared<SimulatedDisk>();
      disk->CrashAtChange(at);
      std::set<std::string> acknowledged;
      if (const auto log = RequestLog::Open(disk, "/queue", {.forces = forces, .file_bytes_max = 120}); log.ok()) {
        for (const std::string message : {"a", "b", "c", "d", "e", "f"}) {
          if (Append(**log, {message}).ok()) acknowledged.insert(message);
        }
      }
      const bool ended = disk->has_crashed();
      const std::shared_ptr<SimulatedDisk> next = forces ? disk->AfterPowerLoss(at) : disk->AfterKill();
      const auto log = Open(next);
      ASSERT_NE(log, nullptr);
      const auto found = Messages(*log);
      for (const std::string& message : acknowledged) {
        EXPECT_THAT(found, testing::Contains(message)) << "crash at change " << at << ", forced: " << forces;
      }
      EXPECT_EQ(std::set(found.begin(), found.end()).size(), found.size()) << "twice at " << at;
      if (!ended) break;
    }
  }
}

// Scenario: each byte of the file is changed in turn, and the file is cut at each.
// Guarantees: it opens; what lies before the damage is found, nothing that was not written is.
TEST(RequestLog, ReadsWhatADamageLeaves) {
  const auto disk = std::make_shared<SimulatedDisk>();
  {
    const auto log = Open(disk, {.forces = true});
    for (const std::string message : {"aa", "bb", "cc"}) ASSERT_TRUE(Append(*log, {message}).ok());
  }
  const std::string path = "/queue/" + disk->List("/queue")->front();
  const std::string content = disk->Content(path);
  for (const bool cuts : {false, true}) {
    for (size_t at = 0; at < content.size(); ++at) {
      std::string damaged = content;
      if (cuts) {
        damaged.resize(at);
      } else {
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
      }
      const std::shared_ptr<SimulatedDisk> copy = disk->AfterKill();
      copy->SetContent(path, damaged);
      const auto log = RequestLog::Open(copy, "/queue", {});
      if (!log.ok()) {
        EXPECT_EQ(log.status().code(), absl::StatusCode::kFailedPrecondition) << "a newer version: " << log.status();
        continue;
      }
      const auto found = Messages(**log);
      const size_t whole = at < 32 ? 0 : (at - 32) / (content.size() - 32) * 3;
      EXPECT_GE(found.size() + 1, whole) << at;
      for (const std::string& message : found) EXPECT_THAT(message, testing::AnyOf("aa", "bb", "cc"));
      ASSERT_TRUE(Append(**log, {"new"}).ok()) << at;
      EXPECT_THAT(Messages(**log), testing::Contains("new")) << at;
    }
  }
}

// Scenario: a byte of the second of five requests is changed, in a file that was never forced.
// Guarantees: the loss of all that lies behind is told, though nothing says that it was ever safe.
TEST(RequestLog, TellsHowMuchIsLostBehindADamage) {
  const auto disk = std::make_shared<SimulatedDisk>();
  {
    const auto log = Open(disk);
    for (const std::string message : {"aaaa", "bbbb", "cccc", "dddd", "eeee"})
      ASSERT_TRUE(Append(*log, {message}).ok());
  }
  const std::string path = "/queue/" + disk->List("/queue")->front();
  std::string content = disk->Content(path);
  content[content.find("bbbb")] = 'x';
  disk->SetContent(path, content);
  const auto log = Open(disk);
  EXPECT_THAT(Messages(*log), ElementsAre("aaaa"));
  EXPECT_EQ(log->lost_requests(), 4U);
}

}  // namespace
}  // namespace spanloom::pipeline
