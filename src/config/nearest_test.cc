// SPDX-License-Identifier: Apache-2.0

#include "config/nearest.h"

#include <gtest/gtest.h>

#include <vector>

namespace spanloom::config {
namespace {

const std::vector<std::string> kKnown = {"timeout", "send_batch_size", "send_batch_max_size", "grpc", "http"};

// Scenario: a letter wrong, missing, or doubled; a word that is like nothing; a short word.
// Guarantees: the likely word, and none where it would be a guess.
TEST(Nearest, FindsTheLikelyWord) {
  EXPECT_EQ(Nearest("timout", kKnown), "timeout");
  EXPECT_EQ(Nearest("send_batch_sise", kKnown), "send_batch_size");
  EXPECT_EQ(Nearest("grcp", kKnown), "grpc");
  EXPECT_EQ(Nearest("endpoint", kKnown), "");
  EXPECT_EQ(Nearest("x", kKnown), "");
  EXPECT_EQ(Nearest("", kKnown), "");
}

// Guarantees: a message gains a question only if there is one.
TEST(Nearest, AsksWhatWasMeant) {
  EXPECT_EQ(DidYouMean("htp", kKnown), "; did you mean \"http\"?");
  EXPECT_EQ(DidYouMean("zzzzzz", kKnown), "");
}

}  // namespace
}  // namespace spanloom::config
