// SPDX-License-Identifier: Apache-2.0

#include "ottl/xpath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::ottl {
namespace {

using testing::HasSubstr;

// The items, put together by |: nodes as XML, attributes as NAME=VALUE; or what is wrong.
std::string Selected(std::string_view xml, std::string_view path) {
  const auto document = ParseXml(xml);
  if (!document.ok()) return std::string(document.status().message());
  const auto xpath = XPath::Compile(path);
  if (!xpath.ok()) return std::string(xpath.status().message());
  const auto items = xpath->Select(**document);
  if (!items.ok()) return std::string(items.status().message());
  std::string out;
  for (const auto& [node, attribute] : *items) {
    if (!out.empty()) out += '|';
    if (attribute) {
      StrAppend(out, node->attributes[*attribute].first, "=", node->attributes[*attribute].second);
    } else {
      out += WriteXml(*node);
    }
  }
  return out;
}

constexpr std::string_view kShop =
    "<shop n='1'><item id='1' on='y'>one<p>5</p></item><item id='2'>two<p>10</p></item><!--c--><x><item "
    "id='3'/></x></shop>";

TEST(XPath, WalksAxes) {
  EXPECT_EQ(Selected(kShop, "/shop/item/p"), "<p>5</p>|<p>10</p>");
  EXPECT_EQ(Selected(kShop, "shop/x/*"), "<item id=\"3\"></item>");
  EXPECT_EQ(Selected(kShop, "//item/@id"), "id=1|id=2|id=3");
  EXPECT_EQ(Selected(kShop, "/shop//p/text()"), "5|10");
  EXPECT_EQ(Selected(kShop, "//comment()"), "<!--c-->");
  EXPECT_EQ(Selected(kShop, "//p/../@id"), "id=1|id=2");
  EXPECT_EQ(Selected(kShop, "/shop/@*"), "n=1");
  EXPECT_EQ(Selected(kShop, "/shop/attribute::n"), "n=1");
  EXPECT_EQ(Selected(kShop, "/descendant::p/self::p"), "<p>5</p>|<p>10</p>");
  EXPECT_EQ(Selected(kShop, "/shop/x/node()"), "<item id=\"3\"></item>");
  EXPECT_EQ(Selected("<p:a xmlns:p='u'/>", "/p:a"), "<p:a xmlns:p=\"u\"></p:a>");
  EXPECT_EQ(Selected(kShop, "/none"), "");
  EXPECT_EQ(Selected("<a/><b/>", "/"), "<a></a><b></b>");
}

// Scenario: predicates with positions, comparisons of attributes, texts and numbers, and functions.
// Guarantees: those for which they hold are left, positions counted per parent.
TEST(XPath, KeepsByPredicates) {
  EXPECT_EQ(Selected(kShop, "//item[1]/@id"), "id=1|id=3");
  EXPECT_EQ(Selected(kShop, "/shop/item[last()]/@id"), "id=2");
  EXPECT_EQ(Selected(kShop, "/shop/item[position() < 2]/@id"), "id=1");
  EXPECT_EQ(Selected(kShop, "//item[@on]/@id"), "id=1");
  EXPECT_EQ(Selected(kShop, "//item[not(@on) and p]/@id"), "id=2");
  EXPECT_EQ(Selected(kShop, "//item[@id='1' or @id=\"3\"]/@id"), "id=1|id=3");
  EXPECT_EQ(Selected(kShop, "//item[@id != 2]/@id"), "id=1|id=3");
  EXPECT_EQ(Selected(kShop, "//item[p > 7]/@id"), "id=2");
  EXPECT_EQ(Selected(kShop, "//item[p <= 5][1]/@id"), "id=1");
  EXPECT_EQ(Selected(kShop, "//item[p = '10']/@id"), "id=2");
  EXPECT_EQ(Selected(kShop, "//*[contains(text(), 'w')]/@id"), "id=2");
  EXPECT_EQ(Selected(kShop, "//item[starts-with(., 'on')]/@id"), "id=1");
  EXPECT_EQ(Selected(kShop, "//@*[local-name() != 'id']"), "n=1|on=y");
  EXPECT_EQ(Selected(kShop, "//*[name()='x']/*/@id"), "id=3");
  EXPECT_EQ(Selected(kShop, "/shop[count(item) = 2]/@n"), "n=1");
  EXPECT_EQ(Selected(kShop, "//item[string-length(@on) = 1]/@id"), "id=1");
  EXPECT_EQ(Selected("<a> x  y </a>", "/a[normalize-space()='x y']"), "<a>x  y</a>");
  EXPECT_EQ(Selected(kShop, "//item[/shop/@n = 1 and true() and not(false())]/@id"), "id=1|id=2|id=3");
  EXPECT_EQ(Selected(kShop, "//item['*any*']/@id"), "id=1|id=2|id=3");
  EXPECT_EQ(Selected(kShop, "//item[number(@id) = -1]"), "");
}

TEST(XPath, UnitesPathsInTheOrderOfTheDocument) {
  EXPECT_EQ(Selected(kShop, "//p | /shop/@n | //p[. = 5]"), "n=1|<p>5</p>|<p>10</p>");
}

// Scenario: what the language has and this reader has not; what is no XPath at all; what selects no nodes.
// Guarantees: each is refused, with the reason and where.
TEST(XPath, RefusesTheRest) {
  EXPECT_THAT(Selected("<a/>", "!"), HasSubstr("invalid xpath: a name is missing at byte 0"));
  EXPECT_THAT(Selected("<a/>", ""), HasSubstr("an expression is missing"));
  EXPECT_THAT(Selected("<a/>", "/a["), HasSubstr("an expression is missing"));
  EXPECT_THAT(Selected("<a/>", "/a[1"), HasSubstr("no ]"));
  EXPECT_THAT(Selected("<a/>", "/a]"), HasSubstr("not expected at byte 2"));
  EXPECT_THAT(Selected("<a/>", "/a[@b='x]"), HasSubstr("a text is not closed"));
  EXPECT_THAT(Selected("<a/>", "/a/following-sibling::b"), HasSubstr("the axis following-sibling is not supported"));
  EXPECT_THAT(Selected("<a/>", "/a[b + 1 = 2]"), HasSubstr("arithmetic is not supported"));
  EXPECT_THAT(Selected("<a/>", "/a[b div 2 = 2]"), HasSubstr("arithmetic is not supported"));
  EXPECT_THAT(Selected("<a/>", "/a[$v]"), HasSubstr("variables are not supported"));
  EXPECT_THAT(Selected("<a/>", "(/a)[1]"), HasSubstr("steps behind brackets are not supported"));
  EXPECT_THAT(Selected("<a/>", "/a[sum(b)]"), HasSubstr("there is no function sum"));
  EXPECT_THAT(Selected("<a/>", "/a[contains(b)]"), HasSubstr("another number of arguments"));
  EXPECT_THAT(Selected("<a/>", "/a[count('b')]"), HasSubstr("count() takes a path"));
  EXPECT_THAT(Selected("<a/>", "count(/a)"), HasSubstr("it selects no nodes"));
  EXPECT_THAT(Selected("<a/>", "/a | 1"), HasSubstr("a union is of paths"));
  EXPECT_THAT(Selected("<a/>", "/a" + std::string(40, '[') + std::string(40, ']')), HasSubstr("missing"));
  EXPECT_THAT(Selected("<a/>", std::string(40, '(')), HasSubstr("brackets nest too deeply"));
}

// Scenario: a predicate that looks through the whole document for each of its many nodes.
// Guarantees: it is given up, in bounded time.
TEST(XPath, GivesUpWhatTakesTooLong) {
  std::string xml = "<r>";
  for (int i = 0; i < 2000; ++i) xml += "<a/>";
  EXPECT_THAT(Selected(xml + "</r>", "//a[//a[//b]]"), HasSubstr("more than 100000 steps"));
}

TEST(XPathProperty, TakesAnyText) {
  constexpr std::string_view kParts[] = {"/",  "//",     "a",    "[",       "]",   "@",  "*",      "(",
                                         ")",  "text()", "not(", "1",       "'x'", "=",  "|",      " and ",
                                         "..", ".",      "::",   "child::", "<",   "!=", "last()", "\xff"};
  Rng random(4);
  for (int round = 0; round < 20000; ++round) {
    std::string path;
    for (size_t size = random.Below(10); size > 0; --size) path += kParts[random.Below(std::size(kParts))];
    static_cast<void>(Selected("<a b='1'>x<a/><c>1</c></a>", path));
  }
}

// Scenario: documents with everything that there is.
// Guarantees: what is written can be read again, and is then written in the same way.
TEST(Xml, WritesWhatItReads) {
  for (const std::string_view xml :
       {"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x \"y\">]><a b=\"&lt;&#34;\"> x &amp; <b/> <![CDATA[<]]><!-- c "
        "--></a>",
        "", "text<a/>text", "<a></a><b></b>"}) {
    const auto first = ParseXml(xml);
    ASSERT_TRUE(first.ok()) << first.status();
    const std::string written = WriteXml(**first);
    const auto second = ParseXml(written);
    ASSERT_TRUE(second.ok()) << written;
    EXPECT_EQ(WriteXml(**second), written);
    EXPECT_EQ(WriteXml(*(*first)->Clone()), written);
  }
}

TEST(Xml, IsBounded) {
  std::string deep;
  for (int i = 0; i < 300; ++i) deep += "<a>";
  EXPECT_THAT(ParseXml(deep).status().message(), HasSubstr("nest too deeply"));
  std::string wide;
  for (int i = 0; i < 70'000; ++i) wide += "<a/>";
  EXPECT_THAT(ParseXml(wide).status().message(), HasSubstr("too many nodes"));
}

}  // namespace
}  // namespace spanloom::ottl
