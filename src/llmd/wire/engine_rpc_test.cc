// SPDX-License-Identifier: Apache-2.0

#include "llmd/wire/engine_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::llmd::wire {
namespace {

using otlp::wire::Writer;

// Scenario: token ids in a packed field, and others one by one; sampling with what has presence and what has none.
// Guarantees: all are read, and a number that is 0 counts as not given.
TEST(EngineRpc, ReadsACall) {
  std::string message;
  Writer writer(message);
  writer.Bytes(1, "id");
  Writer::Mark mark = writer.Begin(2);
  writer.Bytes(1, "text");
  writer.Bytes(2, "\x05\xac\x02");
  writer.Varint(2, 7);
  writer.End(mark);
  mark = writer.Begin(4);
  writer.Fixed32(1, 0);  // 0.0
  writer.Varint(8, 3);
  writer.Bytes(10, "x");
  writer.Varint(99, 1);
  writer.End(mark);
  writer.Varint(5, 1);
  const auto request = ParseGenerateRpc(message);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->request_id, "id");
  EXPECT_EQ(std::get<std::vector<TokenId>>(request->prompts.at(0)), (std::vector<TokenId>{5, 300, 7}));
  EXPECT_EQ(request->sampling.temperature, 0);
  EXPECT_EQ(request->sampling.top_p, 1);
  EXPECT_EQ(request->sampling.n, 1);
  EXPECT_EQ(request->sampling.max_tokens, 3);
  EXPECT_THAT(request->sampling.stop, testing::ElementsAre("x"));
  EXPECT_TRUE(request->is_streamed && request->is_rpc);
}

// Guarantees: bytes that are no message, and numbers that can't be, are refused.
TEST(EngineRpc, RefusesWhatIsNone) {
  const auto with_sampling = [](auto write) {
    std::string message;
    Writer writer(message);
    writer.Bytes(3, "a");
    const Writer::Mark mark = writer.Begin(4);
    write(writer);
    writer.End(mark);
    return ParseGenerateRpc(message).status().code();
  };
  constexpr auto kRefused = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(ParseGenerateRpc("").status().code(), kRefused);
  EXPECT_EQ(ParseGenerateRpc("\x0a\x05").status().code(), kRefused);
  EXPECT_EQ(ParseGenerateRpc("\x12\x02\x12\x05").status().code(), kRefused);
  EXPECT_EQ(with_sampling([](Writer&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Varint(15, 2); }), kRefused);
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Varint(8, 0); }), kRefused);
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Fixed32(1, 0x7fc00000); }), kRefused);  // not a number
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Fixed32(2, 0x40000000); }), kRefused);  // 2
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Bytes(10, ""); }), kRefused);
  EXPECT_EQ(with_sampling([](Writer& writer) { writer.Raw("\x0a\x05"); }), kRefused);
}

}  // namespace
}  // namespace spanloom::llmd::wire
