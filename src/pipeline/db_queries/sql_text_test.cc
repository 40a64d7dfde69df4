// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Masked(std::string_view sql, std::string_view system = "postgresql") {
  return MaskSqlLiterals(sql, SqlDialect::Of(system));
}

// Scenario: statements of applications, as their drivers report them.
// Guarantees: every literal becomes a question mark, all else stays, space included.
TEST(MaskSqlLiterals, KeepsStatementsReadable) {
  EXPECT_EQ(Masked("SELECT * FROM users WHERE id = 123"), "SELECT * FROM users WHERE id = ?");
  EXPECT_EQ(Masked("INSERT INTO users (name, age) VALUES ('John', 30)"), "INSERT INTO users (name, age) VALUES (?, ?)");
  EXPECT_EQ(Masked("UPDATE accounts SET balance = 10.5, note = 'it''s' WHERE id IN (1,2,3)"),
            "UPDATE accounts SET balance = ?, note = ? WHERE id IN (?,?,?)");
  EXPECT_EQ(Masked("select a, b\n  from t\n where c like 'x%' and d is null or e = TRUE"),
            "select a, b\n  from t\n where c like ? and d is ? or e = ?");
  EXPECT_EQ(Masked("  SELECT 1 ;\n"), "SELECT ? ;");
  EXPECT_EQ(Masked("SELECT $1, $23, :name, @var, ?, a->>'k' FROM t"), "SELECT ?, ?, :name, @var, ?, a->>? FROM t");
  EXPECT_EQ(Masked(""), "");
}

TEST(MaskSqlLiterals, ReadsNumbersWhole) {
  EXPECT_EQ(Masked("SELECT 1.5e-7, 0x1F, .25, 12, 1e5"), "SELECT ?, ?, ?, ?, ?");
  EXPECT_EQ(Masked("WHERE a = -5 AND b=+1.5 AND c > 10-3 AND d = e-1"), "WHERE a = ? AND b=? AND c > ?-? AND d = e-?");
}

TEST(MaskSqlLiterals, HidesDigitsInNames) {
  EXPECT_EQ(Masked("SELECT c1 FROM logs_2024_05 WHERE tenant42.id = \"a7\""),
            "SELECT c? FROM logs_?_? WHERE tenant?.id = \"a?\"");
  EXPECT_EQ(Masked("SELECT `a1` FROM `b`", "mysql"), "SELECT `a?` FROM `b`");
}

// Scenario: the same text in databases that read it differently.
// Guarantees: what is a literal there is masked: double quotes, backslashes, brackets, hashes.
TEST(MaskSqlLiterals, KnowsWhatDatabasesDifferIn) {
  EXPECT_EQ(Masked(R"(SELECT "n" = "secret")", "mysql"), "SELECT ? = ?");
  EXPECT_EQ(Masked(R"(SELECT "n" = 'secret')", "postgresql"), R"(SELECT "n" = ?)");
  EXPECT_EQ(Masked(R"(SELECT 'it\'s secret', 'b')", "mysql"), "SELECT ?, ?");
  EXPECT_EQ(Masked(R"(SELECT 'C:\', 'secret')", "postgresql"), "SELECT ?, ?");
  EXPECT_EQ(Masked(R"(SELECT E'it\'s secret', 'b')", "postgresql"), "SELECT ?, ?");
  EXPECT_EQ(Masked("SELECT [a 1] FROM t WHERE b = N'x'", "mssql"), "SELECT [a ?] FROM t WHERE b = ?");
  EXPECT_EQ(Masked("SELECT ARRAY[1, 2]", "postgresql"), "SELECT ARRAY[?, ?]");
  EXPECT_EQ(Masked("SELECT 1 # it's a secret\n, 'b'", "mysql"), "SELECT ? #?\n, ?");
  EXPECT_EQ(Masked("SELECT a #>> 'b' FROM t", "postgresql"), "SELECT a #>> ? FROM t");
  EXPECT_EQ(Masked("SELECT q'[it's secret]', 'b' FROM dual", "oracle.db"), "SELECT ?, ? FROM dual");
  EXPECT_EQ(Masked("SELECT $$it's secret$$, $f$x$$y$f$ FROM t", "postgresql"), "SELECT ?, ? FROM t");
}

// Scenario: a database that is not named, with what would be read differently by two of them.
// Guarantees: nothing that one of them takes for a literal is shown.
TEST(MaskSqlLiterals, TakesNoRiskWhereTheDatabaseIsNotKnown) {
  EXPECT_EQ(Masked(R"(SELECT "secret")", ""), "SELECT ?");
  EXPECT_EQ(Masked(R"(WHERE p = 'C:\' AND n = 'secret')", ""), "WHERE p = ?");
  EXPECT_EQ(Masked("SELECT 1 # secret", "other_sql"), "SELECT ? #?");
}

TEST(MaskSqlLiterals, HidesWhatCommentsSay) {
  EXPECT_EQ(Masked("SELECT a -- it's secret\nFROM t /* user 'x' */ --"), "SELECT a --?\nFROM t /*?*/ --");
  EXPECT_EQ(Masked("/**/ SELECT a /* /* it's */ secret */ FROM t"), "/**/ SELECT a /*?*/ FROM t");
  EXPECT_EQ(Masked("SELECT a /* secret"), "SELECT a /*?");
}

TEST(MaskSqlLiterals, TakesWhatIsNotClosedToTheEnd) {
  EXPECT_EQ(Masked("SELECT 'secret, 5"), "SELECT ?");
  EXPECT_EQ(Masked("SELECT \"secret, 5"), "SELECT ?");
  EXPECT_EQ(Masked("SELECT $$secret"), "SELECT ?");
  EXPECT_EQ(Masked("SELECT q'", "oracle"), "SELECT ?");
  EXPECT_EQ(Masked(R"(SELECT 'a\)", "mysql"), "SELECT ?");
}

// Scenario: statements put together at random from names, signs, comments and literals that have a secret in them, in
// the spelling of their database; and random bytes.
// Guarantees: no secret is shown, nothing becomes longer, and what is masked is masked for good.
TEST(MaskSqlLiteralsProperty, ShowsNoLiteral) {
  struct Grammar {
    const char* system;
    std::vector<std::string> literals;
  };
  const Grammar grammars[] = {
      {"postgresql", {"'zzz'", "'z''zz'", R"('zzz\')", R"(E'\'zzz')", "$$z'zz$$", "$t$zzz$$'$t$", "/*zzz'/*'*/zzz*/"}},
      {"mysql", {"'zzz'", R"('\'zzz')", R"("zzz'")", R"("\"zzz")", "'zz\"zz'", "#zzz'\n", "/*zzz'*/"}},
      {"mssql", {"'zzz'", "N'z''zz'", R"('zzz\')", "/*zzz/*'*/*/"}},
      {"oracle.db", {"'zzz'", "q'[zzz'zzz]'", "nq'!zzz'!'", R"('zzz\')"}},
      {"", {"'zzz'", "'z''zz'", "\"zzz'\"", "$$z'zz$$", "#zzz'\n"}}};
  const std::vector<std::string> others = {"SELECT", "a.b", "t1", "(", ")",  ",",  "=",
                                           " -",     "+",   "||", "*", "\n", "17", "-- zzz'\n"};
  Rng random(7);
  for (int round = 0; round < 4000; ++round) {
    const Grammar& grammar = grammars[random.Below(std::size(grammars))];
    std::string sql;
    for (size_t part = random.Below(12); part > 0; --part) {
      const auto& from = random.Below(2) == 0 ? grammar.literals : others;
      sql += from[random.Below(from.size())] + " ";
    }
    const std::string masked = Masked(sql, grammar.system);
    EXPECT_THAT(masked, Not(HasSubstr("zz"))) << grammar.system << ": " << sql;
    EXPECT_LE(masked.size(), sql.size()) << sql;
    EXPECT_EQ(Masked(masked, grammar.system), masked) << sql;
  }
}

TEST(MaskSqlLiteralsProperty, TakesAnyBytes) {
  constexpr std::string_view kBytes = "'\"`[]\\$#-/*qnExu&.0e+(a\n\xc3\xa9";
  Rng random(11);
  for (int round = 0; round < 20000; ++round) {
    std::string sql;
    for (size_t size = random.Below(24); size > 0; --size) sql += kBytes[random.Below(kBytes.size())];
    for (const char* system : {"mysql", "postgresql", "sqlite", "oracle", ""}) {
      EXPECT_LE(Masked(sql, system).size(), sql.size()) << system << ": " << sql;
    }
  }
}

TEST(LooksLikeSql, GoesByTheFirstWord) {
  EXPECT_TRUE(LooksLikeSql("  select 1"));
  EXPECT_TRUE(LooksLikeSql("WITH a AS (SELECT 1) SELECT 2"));
  EXPECT_FALSE(LooksLikeSql("SET user:1 x"));
  EXPECT_FALSE(LooksLikeSql("selected"));
  EXPECT_FALSE(LooksLikeSql(""));
}

}  // namespace
}  // namespace spanloom::pipeline
