// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"

namespace spanloom::llmd::simulator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A file with what `statements` make of it.
class DatasetTest : public testing::Test {
 protected:
  ~DatasetTest() override { std::filesystem::remove(path_); }

  void Make(const std::string& statements) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  static std::string Row(std::span<const TokenId> prompt, const std::string& json, int tokens) {
    std::string hex;
    for (const char byte : wire::HashPrompt(prompt))
      StrAppend(hex, absl::Hex(static_cast<uint8_t>(byte), absl::kZeroPad2));
    return StrCat("INSERT INTO llmd (prompt_hash, gen_tokens, n_gen_tokens) VALUES (X'", hex, "', '", json, "', ",
                  tokens, ");");
  }

  const std::string path_ = StrCat(testing::TempDir(), "/dataset-", ::getpid(), ".sqlite3");
};

constexpr char kTable[] =
    "CREATE TABLE llmd (id INTEGER PRIMARY KEY AUTOINCREMENT, prompt_hash BLOB NOT NULL, gen_tokens JSON NOT NULL, "
    "n_gen_tokens INTEGER NOT NULL);";

// Scenario: answers to two prompts, one of them in the older form; prompts that are there and one that is not.
// Guarantees: a prompt has its own answer, with the tokens that it was made of; another one has any that is short
// enough, or, if none is, any.
TEST_F(DatasetTest, AnswersByThePrompt) {
  const std::vector<TokenId> first = {1, 2};
  const std::vector<TokenId> second = {70'000};
  Make(kTable + Row(first, R"({"strings": ["g", "pt"], "numbers": [70, 417]})", 2) +
       Row(second, R"(["a", " b", " c"])", 3));
  const auto dataset = Dataset::Load(path_, "llmd");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ((*dataset)->size(), 2);
  Rng rng(1);
  const RecordedAnswer answer = (*dataset)->Choose(first, 100, rng);
  EXPECT_THAT(answer.texts, ElementsAre("g", "pt"));
  EXPECT_THAT(answer.tokens, ElementsAre(70, 417));
  EXPECT_THAT((*dataset)->Choose(second, 1, rng).texts, ElementsAre("a", " b", " c"));
  for (int i = 0; i < 20; ++i)
    EXPECT_THAT((*dataset)->Choose(std::vector<TokenId>{9}, 2, rng).texts, ElementsAre("g", "pt"));
  EXPECT_FALSE((*dataset)->Choose(std::vector<TokenId>{9}, 1, rng).texts.empty());
}

// Guarantees: what is no data set is refused by its name and what is wrong with it.
TEST_F(DatasetTest, RefusesWhatIsNone) {
  const auto told = [&](const std::string& table) {
    return std::string(Dataset::Load(path_, table).status().message());
  };
  EXPECT_THAT(told("llmd"), HasSubstr("unable to open"));
  std::ofstream(path_) << "no database, but longer than a header of one would have to be: " << std::string(1'000, 'x');
  EXPECT_THAT(told("llmd"), HasSubstr("not a database"));
  std::filesystem::remove(path_);
  Make(kTable);
  EXPECT_THAT(told("llmd"), HasSubstr("there is no answer in the table"));
  EXPECT_THAT(told("a\" b"), HasSubstr("--dataset-table-name"));
  Make(Row(std::vector<TokenId>{1}, R"({"numbers": []})", 1));
  EXPECT_THAT(told("llmd"), HasSubstr("gen_tokens of the row 1"));
}

}  // namespace
}  // namespace spanloom::llmd::simulator
