// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/redis_command.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace spanloom::pipeline {
namespace {

// Scenario: commands of each form.
// Guarantees: values are masked, keys and what says how are not.
TEST(MaskRedisValues, MasksWhatIsWrittenOrCompared) {
  EXPECT_EQ(MaskRedisValues("SET user:123 john EX 10"), "SET user:123 ? EX 10");
  EXPECT_EQ(MaskRedisValues("set k \"a b\\\" c\" NX"), "set k ? NX");
  EXPECT_EQ(MaskRedisValues("HSET h f1 v1 f2 v2"), "HSET h f1 ? f2 ?");
  EXPECT_EQ(MaskRedisValues("MSET a 1 b 2"), "MSET a ? b ?");
  EXPECT_EQ(MaskRedisValues("SETEX k 60 v"), "SETEX k 60 ?");
  EXPECT_EQ(MaskRedisValues("LINSERT l BEFORE pivot value"), "LINSERT l BEFORE ?");
  EXPECT_EQ(MaskRedisValues("SADD s a b c"), "SADD s ?");
  EXPECT_EQ(MaskRedisValues("PUBLISH news secret"), "PUBLISH news ?");
  EXPECT_EQ(MaskRedisValues("ZADD z NX CH 1 a 2 b"), "ZADD z NX CH 1 ? 2 ?");
  EXPECT_EQ(MaskRedisValues("GEOADD g NX 13.3 38.1 Palermo 15 37 Catania"), "GEOADD g NX 13.3 38.1 ? 15 37 ?");
  EXPECT_EQ(MaskRedisValues("BITFIELD b GET u8 0 SET u8 8 255 SET i5 0 3"),
            "BITFIELD b GET u8 0 SET u8 8 ? SET i5 0 ?");
  EXPECT_EQ(MaskRedisValues("CONFIG SET requirepass secret"), "CONFIG SET requirepass ?");
}

TEST(MaskRedisValues, MasksPasswordsAndScripts) {
  EXPECT_EQ(MaskRedisValues("AUTH user secret"), "AUTH ?");
  EXPECT_EQ(MaskRedisValues("HELLO 3 AUTH user secret"), "HELLO 3 ?");
  EXPECT_EQ(MaskRedisValues("ACL SETUSER eve >secret"), "ACL SETUSER ?");
  EXPECT_EQ(MaskRedisValues("EVAL \"return 'secret'\" 1 k"), "EVAL ?");
}

TEST(MaskRedisValues, LeavesCommandsThatOnlyRead) {
  for (const char* command : {"GET user:123", "MGET a b c", "LRANGE l 0 -1", "HGET h f", "EXPIRE k 10", "PING",
                              "CONFIG GET maxmemory", "INCRBY k 5", "SCAN 0 MATCH a* COUNT 10"}) {
    EXPECT_EQ(MaskRedisValues(command), command);
  }
}

TEST(MaskRedisValues, KeepsTheFirstArgumentOfWhatIsNotKnown) {
  EXPECT_EQ(MaskRedisValues("JSON.SET doc $ {\"a\":1}"), "JSON.SET doc ?");
  EXPECT_EQ(MaskRedisValues("FT.X"), "FT.X");
}

// Scenario: a transaction in lines, one of them empty, with more space than needed; a text in quotes with a line end.
// Guarantees: each line is a command; quotes hold together.
TEST(MaskRedisValues, ReadsALineACommand) {
  EXPECT_EQ(MaskRedisValues("MULTI\r\nSET  a\t1\n\n  GET a \nEXEC\n"), "MULTI\nSET a ?\nGET a\nEXEC");
  EXPECT_EQ(MaskRedisValues("SET k \"line\nline\"\nGET k"), "SET k ?\nGET k");
  EXPECT_EQ(MaskRedisValues("SET k \"open\nGET k"), "SET k ?");
  EXPECT_EQ(MaskRedisValues(""), "");
}

TEST(MaskRedisValuesProperty, NeverLengthens) {
  constexpr std::string_view kBytes = "SET ZADD\"\\\n\r a1";
  Rng random(3);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (size_t size = random.Below(24); size > 0; --size) text += kBytes[random.Below(kBytes.size())];
    const std::string masked = MaskRedisValues(text);
    EXPECT_LE(masked.size(), text.size()) << text;
    EXPECT_EQ(MaskRedisValues(masked), masked) << text;
  }
}

}  // namespace
}  // namespace spanloom::pipeline
