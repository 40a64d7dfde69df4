// SPDX-License-Identifier: Apache-2.0

#include "sdk/b3.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::sdk {
namespace {

constexpr char kTrace[] = "80f198ee56343ba864fe8b2a57d3eff7";
constexpr char kSpan[] = "e457b5a2e4d86bd1";

net::HttpHeaders Headers(std::initializer_list<std::pair<std::string, std::string>> fields) {
  net::HttpHeaders headers;
  for (const auto& [name, value] : fields) headers.Add(name, value);
  return headers;
}

std::optional<TraceContext> Single(const std::string& value) {
  return ReadB3(Headers({{"b3", value}}));
}

// Scenario: the one header, sampled, debugged, refused, undecided, and with a parent.
// Guarantees: the ids; sampled if it says so.
TEST(B3, ReadsTheSingleHeader) {
  const std::string ids = StrCat(kTrace, "-", kSpan);
  const auto sampled = Single(StrCat(ids, "-1-05e3ac9a4f6e3b90"));
  ASSERT_TRUE(sampled.has_value());
  EXPECT_EQ(sampled->trace_id.Hex(), kTrace);
  EXPECT_EQ(sampled->span_id.Hex(), kSpan);
  EXPECT_TRUE(sampled->is_sampled());
  EXPECT_TRUE(sampled->is_remote);
  EXPECT_TRUE(Single(StrCat(ids, "-d"))->is_sampled());
  EXPECT_FALSE(Single(StrCat(ids, "-0"))->is_sampled());
  EXPECT_FALSE(Single(ids)->is_sampled());
}

// Scenario: a header a field, with a trace id of 64 bits, in capitals.
// Guarantees: the same.
TEST(B3, ReadsSeveralHeaders) {
  const auto context =
      ReadB3(Headers({{"x-b3-traceid", "64FE8B2A57D3EFF7"}, {"x-b3-spanid", kSpan}, {"x-b3-sampled", "true"}}));
  ASSERT_TRUE(context.has_value());
  EXPECT_EQ(context->trace_id.Hex(), "000000000000000064fe8b2a57d3eff7");
  EXPECT_TRUE(context->is_sampled());
  EXPECT_TRUE(ReadB3(Headers({{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}, {"x-b3-flags", "1"}}))->is_sampled());
  EXPECT_FALSE(ReadB3(Headers({{"x-b3-traceid", kTrace}, {"x-b3-spanid", kSpan}}))->is_sampled());
}

TEST(B3, RefusesWhatIsNone) {
  const std::string zeros(16, '0');
  for (const std::string& text : std::vector<std::string>{
           "0", "1", "x-y-1", kTrace, StrCat(kTrace, "-12"), StrCat(zeros, zeros, "-", kSpan, "-1"),
           StrCat(kTrace, "-", zeros), StrCat(std::string(31, 'a'), "-", kSpan)}) {
    EXPECT_FALSE(Single(text).has_value()) << text;
  }
  EXPECT_FALSE(ReadB3({}).has_value());
}

// Scenario: both kinds of headers, where one, the other, or both are looked at.
// Guarantees: W3C's count if both are; each alone if it alone is; baggage always.
TEST(B3, IsReadIfItIsAskedFor) {
  const net::HttpHeaders both = Headers({{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                                         {"b3", StrCat(kTrace, "-", kSpan, "-1")},
                                         {"baggage", "k=v"}});
  EXPECT_EQ(Extract(both, {.has_w3c = true, .has_b3 = true}).trace_id.Hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(Extract(both, {.has_w3c = true, .has_b3 = false}).trace_id.Hex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(Extract(both, {.has_w3c = false, .has_b3 = true}).trace_id.Hex(), kTrace);
  EXPECT_EQ(Extract(both, {.has_w3c = false, .has_b3 = true}).baggage, "k=v");
  const net::HttpHeaders b3 = Headers({{"b3", StrCat(kTrace, "-", kSpan, "-1")}});
  EXPECT_EQ(Extract(b3, {.has_w3c = true, .has_b3 = true}).trace_id.Hex(), kTrace);
  EXPECT_FALSE(Extract(b3, {}).IsValid());
}

// Scenario: a sampled and an unsampled context are written either way over headers of another one; so is none.
// Guarantees: what is read again is the same context; of none nothing is left.
TEST(B3, ReadsWhatItWrites) {
  TraceContext context = *Single(StrCat(kTrace, "-", kSpan, "-1"));
  for (const bool is_multi : {false, true}) {
    for (const uint8_t flags : {kSampledFlag, uint8_t{0}}) {
      const Propagation propagation = {
          .has_w3c = false, .has_b3 = !is_multi, .has_b3_multi = is_multi, .has_baggage = false};
      net::HttpHeaders headers = Headers({{is_multi ? "x-b3-flags" : "b3", "1"}, {"traceparent", "stays"}});
      context.flags = flags;
      Inject(context, headers, propagation);
      EXPECT_EQ(Extract(headers, propagation), context);
      EXPECT_EQ(headers.Get("traceparent"), "stays");
      EXPECT_EQ(headers.Get("b3").empty(), is_multi);
      Inject({}, headers, propagation);
      EXPECT_EQ(headers.fields().size(), 1u);
    }
  }
}

}  // namespace
}  // namespace spanloom::sdk
