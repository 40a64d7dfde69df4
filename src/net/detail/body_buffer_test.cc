// SPDX-License-Identifier: Apache-2.0

#include "net/detail/body_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace spanloom::net {
namespace {

class BodyBufferTest : public testing::Test {
 protected:
  std::shared_ptr<ByteBudget> budget_ = std::make_shared<ByteBudget>(4 << 20);
  HeldBytes held_{budget_};
};

TEST_F(BodyBufferTest, GivesBackWhatArrivedWithOrWithoutALength) {
  for (const size_t expected : {size_t{0}, size_t{300'000}}) {
    BodyBuffer buffer(expected, &held_);
    std::string content;
    while (content.size() < 300'000) {
      const std::string piece(1000, static_cast<char>('a' + content.size() / 1000 % 26));
      ASSERT_TRUE(buffer.Append(piece));
      content += piece;
    }
    EXPECT_TRUE(buffer.Take().view() == content);
    EXPECT_EQ(buffer.size(), 0U);
    held_.Release();
  }
}

TEST_F(BodyBufferTest, AllocatesADeclaredSmallBodyOnce) {
  BodyBuffer buffer(700, &held_);
  ASSERT_TRUE(buffer.Append("x"));
  const char* const start = buffer.Prepare(1) - 1;
  ASSERT_TRUE(buffer.Append(std::string(699, 'y')));
  EXPECT_EQ(budget_->held(), 700U);
  EXPECT_EQ(buffer.Take().data(), start);
}

// Scenario: 1 GB is declared, and a few bytes come.
// Guarantees: no more than the first piece of memory is allocated and counted.
TEST_F(BodyBufferTest, BelievesADeclaredLengthOnlyAsBytesCome) {
  BodyBuffer buffer(1'000'000'000, &held_);
  ASSERT_TRUE(buffer.Append("a few bytes"));
  EXPECT_EQ(budget_->held(), BodyBuffer::kFirstBytes);
}

TEST_F(BodyBufferTest, StopsAtTheBudgetAndGivesItBack) {
  {
    HeldBytes held(budget_);
    BodyBuffer buffer(0, &held);
    const std::string piece(1 << 20, 'x');
    size_t pieces = 0;
    while (buffer.Append(piece)) ++pieces;
    EXPECT_GE(pieces, 2U);
    EXPECT_LE(budget_->held(), 4U << 20);
  }
  EXPECT_EQ(budget_->held(), 0U);
}

TEST_F(BodyBufferTest, KeepsLittleMemoryForLittleContent) {
  BodyBuffer buffer(0, nullptr);
  ASSERT_TRUE(buffer.Append("abc"));
  const char* const start = buffer.Prepare(1) - 3;
  EXPECT_NE(buffer.Take().data(), start);
}

}  // namespace
}  // namespace spanloom::net
