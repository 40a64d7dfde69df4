// SPDX-License-Identifier: Apache-2.0

#include "cli/store/request_packer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "otlp/request.h"
#include "otlp/writer.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::SpanOrigin;
using spanloom::store::StoredSpan;
using testing::ElementsAre;

std::shared_ptr<const SpanOrigin> Origin(std::string_view service, std::string_view scope,
                                         std::string schema_url = "") {
  return std::make_shared<const SpanOrigin>(SpanOrigin{
      .resource = Bytes(otlp::EncodeResource([&](otlp::AttributeWriter& a) { a.String("service.name", service); })),
      .scope = Bytes(otlp::EncodeScope({.name = scope})),
      .resource_schema_url = std::move(schema_url),
      .scope_schema_url = "scope schema"});
}

// A Span message with a name, a field that no version of OTLP has, and padding.
StoredSpan Span(std::string_view name, std::shared_ptr<const SpanOrigin> origin, size_t padding = 0) {
  std::string wire;
  otlp::wire::Writer writer(wire);
  otlp::TraceId id;
  id.bytes[0] = 1;
  writer.Bytes(1, id.view());
  writer.Bytes(2, std::string(8, '\x02'));
  writer.Bytes(5, name);
  writer.Bytes(900, std::string(padding, 'x'));
  return {.wire = Bytes(std::move(wire)), .origin = std::move(origin)};
}

// The spans of each request, as "service/schema/scope/name".
std::vector<std::vector<std::string>> Pack(const std::vector<std::vector<StoredSpan>>& traces) {
  std::vector<std::vector<std::string>> requests;
  const auto emit = [&](std::string request) -> Status {
    const auto slice = otlp::ReadTraces(Bytes(std::move(request)));
    RETURN_IF_ERROR(slice.status());
    std::vector<std::string>& names = requests.emplace_back();
    slice->ForEach([&](const otlp::SpanContext& span) {
      names.push_back(StrCat(span.resource.service_name(), "/", span.resource_schema_url, "/", span.scope.name(), "/",
                             span.span.name()));
    });
    return absl::OkStatus();
  };
  RequestPacker packer;
  for (const auto& trace : traces) EXPECT_TRUE(packer.Add(trace, emit).ok());
  EXPECT_TRUE(packer.Finish(emit).ok());
  return requests;
}

// Scenario: two traces whose spans come from several resources and scopes, one of them described twice.
// Guarantees: one request; spans stand under what they came with, those of one resource together.
TEST(RequestPackerTest, PutsSpansUnderTheirOrigin) {
  const auto shop = Origin("shop", "http");
  const auto shop_db = Origin("shop", "db");
  const auto cart = Origin("cart", "http");
  const auto other = Origin("shop", "http", "schema");
  EXPECT_THAT(
      Pack({{Span("a", shop), Span("b", cart), Span("c", shop_db)},
            {Span("d", Origin("shop", "http")), Span("e", other)}}),
      ElementsAre(ElementsAre("shop//http/a", "shop//http/d", "shop//db/c", "cart//http/b", "shop/schema/http/e")));
}

// Scenario: more spans than a request may have, and more bytes; a trace that is larger than a request.
// Guarantees: a trace begins a request of its own rather than being parted; none is too large.
TEST(RequestPackerTest, KeepsRequestsSmall) {
  const auto origin = Origin("shop", "http");
  const std::vector<StoredSpan> trace(300, Span("s", origin));
  const auto by_spans = Pack({trace, trace, std::vector<StoredSpan>(1100, Span("s", origin))});
  std::vector<size_t> sizes;
  for (const auto& request : by_spans) sizes.push_back(request.size());
  EXPECT_THAT(sizes, ElementsAre(300, 300, 512, 512, 76));

  const std::vector<StoredSpan> large = {Span("l", origin, 1 << 20)};
  EXPECT_EQ(Pack({large, large, large}).size(), 3U);
}

// Scenario: a span with an unknown field. Guarantees: it comes byte for byte.
TEST(RequestPackerTest, ChangesNoByte) {
  const StoredSpan span = Span("a", Origin("shop", "http"), 10);
  std::string packed;
  RequestPacker packer;
  const auto emit = [&](std::string request) {
    packed = std::move(request);
    return absl::OkStatus();
  };
  ASSERT_TRUE(packer.Add({span}, emit).ok() && packer.Finish(emit).ok());
  EXPECT_NE(packed.find(span.wire.view()), std::string::npos);
}

// Scenario: who takes the requests fails. Guarantees: the error comes through.
TEST(RequestPackerTest, PassesErrorsOn) {
  RequestPacker packer;
  const auto emit = [](const std::string&) { return absl::UnavailableError("full"); };
  EXPECT_TRUE(packer.Add({Span("a", Origin("shop", "http"))}, emit).ok());
  EXPECT_EQ(packer.Finish(emit).message(), "full");
}

}  // namespace
}  // namespace spanloom::cli::store
