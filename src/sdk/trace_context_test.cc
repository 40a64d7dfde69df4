// SPDX-License-Identifier: Apache-2.0

#include "sdk/trace_context.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

#include "base/text.h"

namespace spanloom::sdk {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

net::HttpHeaders Headers(std::initializer_list<std::pair<std::string, std::string>> fields) {
  net::HttpHeaders headers;
  for (const auto& [name, value] : fields) headers.Add(name, value);
  return headers;
}

// Scenario: a traceparent as the specification's examples write it, sampled and not, with the random flag and with
// flags that level 2 does not know.
// Guarantees: ids and known flags are read; what is written again is the same.
TEST(TraceParent, ReadsTheSpecifiedForm) {
  const auto context = ParseTraceParent(kParent);
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id.Hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->span_id.Hex(), "b7ad6b7169203331");
  EXPECT_TRUE(context->is_sampled());
  EXPECT_EQ(FormatTraceParent(*context), kParent);
  EXPECT_FALSE(ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->is_sampled());
  EXPECT_EQ(ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")->flags, 0x03);
}

// Scenario: a version that is still to come, with more behind and without.
// Guarantees: read by the rule of version 00, written as version 00.
TEST(TraceParent, ReadsFutureVersions) {
  for (const char* text : {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-brings"}) {
    const auto context = ParseTraceParent(text);
    ASSERT_TRUE(context.has_value()) << text;
    EXPECT_EQ(FormatTraceParent(*context), kParent);
  }
}

// Scenario: the forms that the specification forbids, and cuts of a good one at every length.
// Guarantees: none is read.
TEST(TraceParent, RefusesEverythingElse) {
  for (const char* text : {
           "",
           "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
           "0X-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.",
           "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
           "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
           "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-011",
       }) {
    EXPECT_FALSE(ParseTraceParent(text).has_value()) << text;
  }
  for (size_t size = 0; size < kParent.size(); ++size) EXPECT_FALSE(ParseTraceParent(kParent.substr(0, size)));
}

// Scenario: tracestate with blanks, empty members, tenants; then with a key twice and with malformed members.
// Guarantees: the first are read in order, of the others nothing is kept.
TEST(TraceState, KeepsWhatIsWellFormed) {
  EXPECT_EQ(ReadTraceState(" a=1 ,, b=2\t,"), "a=1,b=2");
  EXPECT_EQ(ReadTraceState("fw529a3039@dt=FfAAAQ,ot=th:8;rv:1"), "fw529a3039@dt=FfAAAQ,ot=th:8;rv:1");
  for (const char* text : {"a=1,a=2", "a", "=1", "a=", "A=1", "a=1,b=x=y", "a b=1", "@a=1", "a@=1", "a=\x7f"}) {
    EXPECT_EQ(ReadTraceState(text), "") << text;
  }
  EXPECT_EQ(ReadTraceState(StrCat(std::string(257, 'k'), "=1")), "");
  EXPECT_EQ(ReadTraceState(StrCat("k=", std::string(257, 'v'))), "");
}

// Scenario: 40 members; 600 bytes with one long member among short ones; many of medium length.
// Guarantees: whole members go until the limits hold, long ones first, then those at the end.
TEST(TraceState, KeepsToItsLimits) {
  std::string many;
  for (int i = 0; i < 40; ++i) StrAppend(many, i == 0 ? "" : ",", "k", i, "=v");
  const std::string kept = ReadTraceState(many);
  EXPECT_TRUE(kept.ends_with(",k31=v")) << kept;
  const std::string with_long =
      StrCat("a=1,long=", std::string(256, 'x'), ",b=", std::string(124, 'y'), ",c=", std::string(124, 'z'), ",d=4");
  EXPECT_EQ(ReadTraceState(with_long), StrCat("a=1,b=", std::string(124, 'y'), ",c=", std::string(124, 'z'), ",d=4"));
  std::string medium;
  for (const char key : {'a', 'b', 'c', 'd', 'e', 'f'}) {
    StrAppend(medium, medium.empty() ? "" : ",", std::string(1, key), "=", std::string(100, 'x'));
  }
  EXPECT_EQ(ReadTraceState(medium), medium.substr(0, 5 * 103 - 1 - 103));
}

// Scenario: a request with all three headers, tracestate in two parts.
// Guarantees: one context, remote, and what is injected elsewhere says the same once.
TEST(Propagation, CarriesAContextOn) {
  const auto headers = Headers({{"traceparent", std::string(kParent)},
                                {"tracestate", "a=1"},
                                {"baggage", "user=7, tier=gold;p=1"},
                                {"tracestate", "b=2"}});
  const TraceContext context = Extract(headers);
  EXPECT_TRUE(context.IsValid());
  EXPECT_TRUE(context.is_remote);
  EXPECT_EQ(context.trace_state, "a=1,b=2");
  EXPECT_EQ(context.baggage, "user=7,tier=gold;p=1");

  net::HttpHeaders out =
      Headers({{"traceparent", "stale"}, {"traceparent", "staler"}, {"x", "y"}, {"tracestate", "z=1"}});
  Inject(context, out);
  EXPECT_EQ(out.fields().size(), 4u);
  EXPECT_EQ(Extract(out), context);
  EXPECT_EQ(out.Get("x"), "y");
}

// Scenario: no traceparent, two of them, or a bad one, with tracestate and baggage beside it.
// Guarantees: no context and no tracestate; baggage is carried all the same, and an old traceparent does not survive.
TEST(Propagation, TrustsNothingBesideABadTraceparent) {
  for (const auto& headers : {Headers({{"tracestate", "a=1"}, {"baggage", "k=v"}}),
                              Headers({{"traceparent", "00-1-2-3"}, {"tracestate", "a=1"}, {"baggage", "k=v"}}),
                              Headers({{"traceparent", std::string(kParent)},
                                       {"traceparent", std::string(kParent)},
                                       {"tracestate", "a=1"},
                                       {"baggage", "k=v"}})}) {
    const TraceContext context = Extract(headers);
    EXPECT_FALSE(context.IsValid());
    EXPECT_EQ(context.trace_state, "");
    EXPECT_EQ(context.baggage, "k=v");
    net::HttpHeaders out = headers;
    Inject(context, out);
    ASSERT_EQ(out.fields().size(), 1u);
    EXPECT_EQ(out.Get("baggage"), "k=v");
  }
}

// Scenario: more baggage than is to be passed on.
// Guarantees: whole members, the first ones.
TEST(Propagation, KeepsBaggageToItsLimits) {
  const std::string big = StrCat("a=", std::string(8000, 'x'));
  EXPECT_EQ(Extract(Headers({{"baggage", StrCat(big, ",b=", std::string(300, 'y'), ",c=1")}})).baggage, big);
  std::string many;
  for (int i = 0; i < 100; ++i) StrAppend(many, "k", i, "=v,");
  EXPECT_TRUE(Extract(Headers({{"baggage", many}})).baggage.ends_with("k63=v"));
}

// Scenario: a request with everything, where all, only baggage, or nothing is looked at; and what is put into headers
// that are passed on.
// Guarantees: what is not asked for is neither read nor touched.
TEST(Propagation, KeepsToWhatItIsAskedFor) {
  const auto headers = Headers({{"traceparent", std::string(kParent)}, {"tracestate", "a=1"}, {"baggage", "k=v"}});
  const Propagation none = {.has_w3c = false, .has_baggage = false};
  EXPECT_FALSE(Extract(headers, none).IsValid());
  EXPECT_EQ(Extract(headers, none).baggage, "");
  EXPECT_EQ(Extract(headers, {.has_w3c = false}).baggage, "k=v");
  EXPECT_EQ(Extract(headers, {.has_baggage = false}).baggage, "");
  net::HttpHeaders out = headers;
  Inject({}, out, none);
  EXPECT_EQ(out.fields(), headers.fields());
  Inject({}, out, {.has_baggage = false});
  EXPECT_EQ(out.fields().size(), 1u);
}

}  // namespace
}  // namespace spanloom::sdk
