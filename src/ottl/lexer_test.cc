// SPDX-License-Identifier: Apache-2.0

#include "ottl/lexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spanloom::ottl {
namespace {

using testing::HasSubstr;
using Kind = Token::Kind;

std::vector<Token> Tokens(std::string_view text) {
  auto tokens = Lex(text);
  EXPECT_TRUE(tokens.ok()) << text << ": " << tokens.status();
  return tokens.ok() ? *tokens : std::vector<Token>();
}

// The value of the only token of `text`.
Literal OnlyValue(std::string_view text) {
  const auto tokens = Tokens(text);
  EXPECT_EQ(tokens.size(), 2u) << text;
  return tokens.empty() ? Literal() : tokens[0].value;
}

Kind OnlyKind(std::string_view text) {
  const auto tokens = Tokens(text);
  EXPECT_EQ(tokens.size(), 2u) << text;
  return tokens.empty() ? Kind::kEnd : tokens[0].kind;
}

std::string Refusal(std::string_view text) {
  const auto tokens = Lex(text);
  EXPECT_EQ(tokens.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(tokens.status().message());
}

TEST(Lexer, SplitsWordsLiteralsAndPunctuation) {
  const auto tokens = Tokens("not span.attributes[\"k\"]==SPAN_KIND_SERVER\n!= IsRootSpan()");
  std::vector<std::string> texts;
  for (const Token& token : tokens) texts.emplace_back(token.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"not", "span", ".", "attributes", "[", "\"k\"", "]",
                                             "==", "SPAN_KIND_SERVER", "!=", "IsRootSpan", "(", ")", ""}));
  EXPECT_EQ(tokens[0].kind, Kind::kName);
  EXPECT_EQ(tokens[5].kind, Kind::kString);
  EXPECT_EQ(tokens[7].kind, Kind::kPunctuation);
  EXPECT_EQ(tokens[8].kind, Kind::kSymbol);
  EXPECT_EQ(tokens.back().kind, Kind::kEnd);
}

TEST(Lexer, TellsIntegersFromFloats) {
  EXPECT_EQ(OnlyKind("42"), Kind::kInt);
  EXPECT_EQ(OnlyKind("5.0"), Kind::kFloat);
  EXPECT_EQ(OnlyKind(".5"), Kind::kFloat);
  EXPECT_EQ(OnlyKind("1.5e-3"), Kind::kFloat);
  EXPECT_EQ(Tokens("-42").size(), 3u) << "a sign is a token of its own";
  EXPECT_EQ(Tokens("1e5").size(), 3u) << "an exponent without a point makes no float";
  EXPECT_EQ(Tokens("1.").size(), 3u);
  EXPECT_EQ(Tokens("1.5e").size(), 3u);
}

TEST(Lexer, ReadsBytes) {
  EXPECT_EQ(OnlyValue("0x01fF"), Literal(BytesLiteral{"\x01\xff"}));
  EXPECT_EQ(Tokens("0x").size(), 3u);
  EXPECT_THAT(Refusal("name == 0x123"), HasSubstr("1:9: lexer: bytes need an even number of digits \"123\""));
}

TEST(Lexer, ResolvesTheEscapesOfGo) {
  EXPECT_EQ(OnlyValue(R"("a\"b\\c\n\t\a\b\f\r\v")"), Literal("a\"b\\c\n\t\a\b\f\r\v"));
  EXPECT_EQ(OnlyValue(R"("\x41\101\u00e9\U0001F680")"), Literal("AA\u00e9\U0001F680"));
  EXPECT_EQ(OnlyValue(R"("\u0800\u007f")"), Literal("\u0800\x7f"));
  EXPECT_EQ(OnlyValue("\"\""), Literal(""));
  EXPECT_EQ(OnlyValue("\"東京\""), Literal("東京"));
}

TEST(Lexer, RefusesOtherEscapes) {
  for (const char* text : {R"("\q")", R"("\'")", R"("\x4")", R"("\u12")", R"("\ud83d")", R"("\U00110000")", R"("\400")",
                           R"("\08")", R"("\)"}) {
    EXPECT_THAT(Refusal(text), HasSubstr("1:2: lexer: invalid escape")) << text;
  }
}

TEST(Lexer, RefusesWhatIsNoToken) {
  EXPECT_THAT(Refusal("'GET' == name"), HasSubstr("1:1: lexer: invalid input text \"'GET' == name\""));
  EXPECT_THAT(Refusal("name == \"GET\" && true"), HasSubstr("1:15: lexer: invalid input text \"&& true\""));
  EXPECT_THAT(Refusal("name ==\n  \"GET"), HasSubstr("2:3: lexer"));
  EXPECT_THAT(Refusal("\"a\nb\""), HasSubstr("1:3: lexer"));
  EXPECT_THAT(Refusal("_x"), HasSubstr("lexer"));
}

TEST(Lexer, CutsLongTextInErrors) {
  EXPECT_LT(Refusal("'" + std::string(10'000, 'x')).size(), 1'100u);
}

}  // namespace
}  // namespace spanloom::ottl
