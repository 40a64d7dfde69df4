// SPDX-License-Identifier: Apache-2.0
//
// Every verb on stores with spans in segments and in the log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "cli/store/backup_verb.h"
#include "cli/store/check_verb.h"
#include "cli/store/dump_verb.h"
#include "cli/store/export_verb.h"
#include "cli/store/import_verb.h"
#include "cli/store/own_store.h"
#include "cli/store/stats_verb.h"
#include "cli/store/upkeep_verbs.h"
#include "store/columnar/inspect/store_files.h"
#include "store/columnar/testing/live_store.h"
#include "store/columnar/testing/senders.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::DataDir;
using spanloom::store::columnar::LiveStore;
using spanloom::store::columnar::Senders;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class StoreVerbsTest : public testing::Test {
 protected:
  StoreVerbsTest() {
    EXPECT_GT(senders_.Send(live_.store(), 10), 0U);
    EXPECT_TRUE(live_.store().Flush().ok());
    EXPECT_GT(senders_.Send(live_.store(), 3), 0U);
  }

  Terminal MakeTerminal() {
    out_.str("");
    err_.str("");
    return {.in = in_, .out = out_, .err = err_, .err_is_terminal = false, .stop = {}, .clock = Clock::System()};
  }

  // What is wrong with a store that should have all that was sent.
  std::string FindFaultIn(const std::string& directory) {
    const auto own = OwnStore::Open(directory, Clock::System());
    return own.ok() ? senders_.FindFault((*own)->store()) : std::string(own.status().message());
  }

  std::string Export(OtlpFormat format) {
    const auto is_complete = RunExport({.directory = live_.path(), .format = format}, MakeTerminal());
    EXPECT_TRUE(is_complete.ok() && *is_complete) << is_complete.status() << err_.str();
    return out_.str();
  }

  // The objects of a kind that a dump has.
  size_t CountKind(std::string_view kind) const {
    const std::string begin = StrCat("{\"kind\":\"", kind, "\"");
    size_t count = 0;
    std::istringstream lines(out_.str());
    for (std::string line; std::getline(lines, line);) count += line.starts_with(begin) ? 1 : 0;
    return count;
  }

  LiveStore live_;
  Senders senders_{1};
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

// Scenario: a running store is exported in protobuf, and imported into a new one; then imported there once more.
// Guarantees: the new one has every span byte for byte; the second time changes nothing, and says so.
TEST_F(StoreVerbsTest, ExportAndImportKeepEverySpan) {
  in_.str(Export(OtlpFormat::kProto));
  const std::string target = live_.PathBeside("imported");
  auto imported = RunImport({.directory = target, .files = {"-"}}, MakeTerminal());
  ASSERT_TRUE(imported.ok() && *imported) << imported.status() << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr(" 0 of them known already, 0 requests refused"));
  EXPECT_EQ(FindFaultIn(target), "");

  in_.clear();
  in_.seekg(0);
  imported = RunImport({.directory = target, .files = {"-"}}, MakeTerminal());
  ASSERT_TRUE(imported.ok() && *imported) << imported.status() << err_.str();
  EXPECT_THAT(out_.str(),
              MatchesRegex("([0-9,]+) spans read, [1-9][0-9,]* of them known already, 0 requests refused\n"));
  EXPECT_EQ(FindFaultIn(target), "");
}

// Scenario: an export as JSON, to a file; one line of it is spoilt, and it is imported.
// Guarantees: all other requests are stored, the line is named, and the verb says that something was refused.
TEST_F(StoreVerbsTest, ImportNamesWhatItRefuses) {
  const std::string file = live_.PathBeside("traces.json");
  const auto exported = RunExport({.directory = live_.path(), .file = file}, MakeTerminal());
  ASSERT_TRUE(exported.ok() && *exported) << exported.status();
  std::ofstream(file, std::ios::app) << "{\"resourceSpans\": 1}\n";
  const std::string target = live_.PathBeside("imported");
  const auto imported = RunImport({.directory = target, .files = {file}}, MakeTerminal());
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_FALSE(*imported);
  EXPECT_THAT(err_.str(), HasSubstr(StrCat("refused: ", file, ", line ")));
  EXPECT_THAT(out_.str(), HasSubstr(StrCat(", 1 request refused")));
  const auto own = OwnStore::Open(target, Clock::System());
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_EQ((*own)->store().Stats().spans, live_.store().Stats().spans);
}

// Scenario: exports of one trace, of one service, of a time in which nothing started.
// Guarantees: whole traces of that kind, no other; a file that could not be exported is not made.
TEST_F(StoreVerbsTest, ExportsWhatIsAskedFor) {
  const auto count = [&](ExportOptions options) {
    options.directory = live_.path();
    const auto is_complete = RunExport(options, MakeTerminal());
    EXPECT_TRUE(is_complete.ok() && *is_complete) << is_complete.status();
    return err_.str();
  };
  const std::string all = count({});
  EXPECT_THAT(count({.starts = {.begin_unix_ns = 0, .end_unix_ns = 5}}), HasSubstr("0 spans of 0 traces exported"));
  EXPECT_THAT(count({.service = "nobody"}), HasSubstr("0 spans of 0 traces exported"));
  EXPECT_NE(count({.service = "service 1"}), all);
  EXPECT_THAT(out_.str(), HasSubstr("service 1"));
  otlp::TraceId unknown;
  unknown.bytes[3] = 7;
  EXPECT_THAT(count({.traces = {unknown}}), HasSubstr("0 spans of 0 traces exported"));

  const std::string file = live_.PathBeside("none.json");
  EXPECT_TRUE(
      absl::IsNotFound(RunExport({.directory = live_.PathBeside("none"), .file = file}, MakeTerminal()).status()));
  EXPECT_FALSE(std::ifstream(file).good());
}

// Scenario: a whole store, and its copy with a changed byte.
// Guarantees: both are told apart; what is wrong is named.
TEST_F(StoreVerbsTest, CheckTellsAWholeStoreFromADamagedOne) {
  const auto whole = RunCheck(live_.path(), MakeTerminal());
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_TRUE(*whole);
  EXPECT_THAT(out_.str(), HasSubstr("nothing is wrong\n"));
  EXPECT_THAT(err_.str(), HasSubstr(" spans, "));  // how far it has come

  const std::string copy = live_.PathBeside("copy");
  ASSERT_TRUE(*RunBackup(live_.path(), copy, MakeTerminal()));
  const std::string segment = StrCat(copy, "/segments/", live_.disk().List(copy + "/segments")->front());
  {
    // A file of its own, since a backup shares it with the original.
    std::ostringstream content;
    content << std::ifstream(segment, std::ios::binary).rdbuf();
    std::string bytes = content.str();
    bytes[bytes.size() / 3] = static_cast<char>(~bytes[bytes.size() / 3]);
    ASSERT_TRUE(live_.disk().Remove(segment).ok());
    std::ofstream(segment, std::ios::binary) << bytes;
  }
  const auto damaged = RunCheck(copy, MakeTerminal());
  ASSERT_TRUE(damaged.ok()) << damaged.status();
  EXPECT_FALSE(*damaged);
  EXPECT_THAT(out_.str(), StartsWith(segment));
  EXPECT_THAT(out_.str(), HasSubstr("1 finding:"));
  EXPECT_THAT(RunCheck(live_.path(), MakeTerminal()), testing::Truly([](const auto& again) { return *again; }));
}

TEST_F(StoreVerbsTest, StatsAddUp) {
  ASSERT_TRUE(RunStats({.directory = live_.path()}, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), HasSubstr(StrCat("in ", live_.path(), ", not in use\n")));
  EXPECT_THAT(out_.str(), HasSubstr("request.id"));
  EXPECT_THAT(out_.str(), HasSubstr("span times"));
  ASSERT_TRUE(RunStats({.directory = live_.path(), .is_json = true}, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), HasSubstr("\"owner\":null"));
  EXPECT_THAT(out_.str(), Not(HasSubstr("\"spans\":0,")));
  EXPECT_THAT(out_.str(), HasSubstr("\"unread\":[]}\n"));
}

// Scenario: each kind of dump; of a segment and a trace that are not there.
// Guarantees: an object for each thing that there is; errors that name what is not.
TEST_F(StoreVerbsTest, DumpsWhatLiesWhere) {
  ASSERT_TRUE(RunDump({.directory = live_.path()}, MakeTerminal()).ok());
  EXPECT_EQ(CountKind("store"), 1U);
  EXPECT_GE(CountKind("segment"), 1U);
  EXPECT_GE(CountKind("log_file"), 1U);

  ASSERT_TRUE(RunDump({.directory = live_.path(), .is_log = true}, MakeTerminal()).ok());
  EXPECT_EQ(CountKind("frame"), 3U);

  const std::string request = Export(OtlpFormat::kJson);
  const size_t key = request.find("\"traceId\":\"");
  const auto id = otlp::ParseTraceId(request.substr(key + 11, 32));
  ASSERT_TRUE(id.has_value());
  ASSERT_TRUE(RunDump({.directory = live_.path(), .trace = id}, MakeTerminal()).ok());
  EXPECT_GE(CountKind("spans"), 1U);
  EXPECT_THAT(out_.str(), HasSubstr(id->Hex()));

  live_.Stop();
  auto files = spanloom::store::columnar::StoreFiles::Open(live_.disk(), live_.path(), live_.clock());
  ASSERT_TRUE(files.ok() && !files->segments().empty()) << files.status();
  ASSERT_TRUE(RunDump({.directory = live_.path(), .segment = files->segments().front().row.id}, MakeTerminal()).ok());
  EXPECT_GE(CountKind("page"), 1U);
  EXPECT_GE(CountKind("column"), 5U);
  EXPECT_GE(CountKind("shape"), 1U);

  const Status no_segment = RunDump({.directory = live_.path(), .segment = 999}, MakeTerminal());
  EXPECT_EQ(no_segment.message(), "there is no segment 999");
  const Status no_trace = RunDump({.directory = live_.path(), .trace = otlp::TraceId()}, MakeTerminal());
  EXPECT_EQ(no_trace.message(), StrCat("there is no trace ", std::string(32, '0')));
}

// Scenario: a backup of a store, whose log has frames that are in no segment, is flushed and compacted.
// Guarantees: all spans are kept, in fewer segments; the log is empty; a second backup to the same place is refused.
TEST_F(StoreVerbsTest, FlushAndCompactKeepEverySpan) {
  const std::string copy = live_.PathBeside("copy");
  ASSERT_TRUE(*RunBackup(live_.path(), copy, MakeTerminal()));
  EXPECT_THAT(out_.str(), StartsWith(copy));
  EXPECT_TRUE(absl::IsAlreadyExists(RunBackup(live_.path(), copy, MakeTerminal()).status()));

  ASSERT_TRUE(RunFlush(copy, MakeTerminal()).ok());
  EXPECT_EQ(out_.str(), "3 frames of the log are in segments now\n");
  ASSERT_TRUE(RunDump({.directory = copy, .is_log = true}, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), IsEmpty());
  ASSERT_TRUE(RunCompact(copy, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), MatchesRegex("[0-9]+ segments before, [0-9]+ now\n"));
  EXPECT_EQ(FindFaultIn(copy), "");
}

// Scenario: a copy of the store is purged of a service, then asked for everything to go.
// Guarantees: no span of the service is left, all others are; the second is refused.
TEST_F(StoreVerbsTest, PurgeRemovesWhatIsMeant) {
  const std::string copy = live_.PathBeside("copy");
  ASSERT_TRUE(*RunBackup(live_.path(), copy, MakeTerminal()));
  ASSERT_TRUE(RunPurge(copy, {.service = "service 1"}, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), MatchesRegex("[1-9][0-9,]* spans removed, nothing is left of [0-9,]+ traces\n"));
  ASSERT_TRUE(*RunExport({.directory = copy, .service = "service 1"}, MakeTerminal()));
  EXPECT_THAT(err_.str(), HasSubstr("0 spans of 0 traces exported"));
  ASSERT_TRUE(*RunExport({.directory = copy, .service = "service 2"}, MakeTerminal()));
  EXPECT_THAT(err_.str(), Not(HasSubstr("\n0 spans of 0 traces exported")));
  EXPECT_TRUE(absl::IsInvalidArgument(RunPurge(copy, {}, MakeTerminal())));
  EXPECT_TRUE(*RunCheck(copy, MakeTerminal()));
}

// Scenario: a process that has the directory, and does not listen. Guarantees: verbs that write are refused, and name
// it; those that read work.
TEST_F(StoreVerbsTest, RespectsTheOwner) {
  const auto owner = DataDir::Take(live_.path(), Clock::System());
  ASSERT_TRUE(owner.ok()) << owner.status();
  const auto imported = RunImport({.directory = live_.path(), .files = {"-"}}, MakeTerminal());
  EXPECT_THAT(std::string(imported.status().message()), HasSubstr("is in use by process "));
  EXPECT_THAT(std::string(RunCompact(live_.path(), MakeTerminal()).message()), HasSubstr("does not answer: "));
  EXPECT_TRUE(*RunCheck(live_.path(), MakeTerminal()));
  ASSERT_TRUE(RunStats({.directory = live_.path()}, MakeTerminal()).ok());
  EXPECT_THAT(out_.str(), HasSubstr("in use by process "));
}

TEST_F(StoreVerbsTest, StopWhenTheyAreInterrupted) {
  std::stop_source stop;
  stop.request_stop();
  Terminal terminal = MakeTerminal();
  terminal.stop = stop.get_token();
  EXPECT_TRUE(absl::IsCancelled(RunCheck(live_.path(), terminal).status()));
  EXPECT_TRUE(absl::IsCancelled(RunExport({.directory = live_.path()}, terminal).status()));
  EXPECT_TRUE(absl::IsCancelled(RunDump({.directory = live_.path()}, terminal)));
  const std::string copy = live_.PathBeside("copy");
  EXPECT_TRUE(absl::IsCancelled(RunBackup(live_.path(), copy, terminal).status()));
  EXPECT_FALSE(*live_.disk().Exists(copy));  // nothing is left of it
}

}  // namespace
}  // namespace spanloom::cli::store
