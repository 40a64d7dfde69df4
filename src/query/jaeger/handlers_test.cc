// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/handlers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::query::jaeger {
namespace {

using nlohmann::json;
using store::MakeSpanId;
using store::MakeTraceId;
using store::SpanSpec;

class HandlersTest : public testing::Test {
 protected:
  // A span that started `seconds` ago and took `duration_ms`.
  void Add(uint64_t trace, const std::string& service, const std::string& operation, uint64_t seconds = 1,
           uint64_t duration_ms = 10) {
    const uint64_t start = static_cast<uint64_t>(clock_.UnixNs()) - seconds * 1'000'000'000;
    const SpanSpec span = {.trace_id = MakeTraceId(trace),
                           .span_id = MakeSpanId(trace),
                           .name = operation,
                           .kind = otlp::SpanKind::kServer,
                           .start_unix_ns = start,
                           .end_unix_ns = start + duration_ms * 1'000'000,
                           .attributes = {{"trace", static_cast<int64_t>(trace)}}};
    store_.Add(store::RequestBuilder().FromService(service).Add(span).Build());
  }

  static net::HttpRequest Get(std::string query) {
    net::HttpRequest request;
    request.method = "GET";
    request.query = std::move(query);
    return request;
  }

  // The last digit of each trace found, in order.
  std::string Search(const std::string& query) {
    const net::HttpResponse response = handlers_.Search(Get(query));
    EXPECT_EQ(response.status, 200) << response.body.view();
    const json body = json::parse(response.body.view());
    std::string found;
    for (const json& trace : body["data"]) found += trace["traceID"].get<std::string>().back();
    return found;
  }

  SimClock clock_;
  store::ModelStore store_{clock_};
  Handlers handlers_{store_, clock_};
};

// Scenario: services and operations of an empty store, then of two services.
// Guarantees: the bodies that the Jaeger UI and Grafana read.
TEST_F(HandlersTest, ListsNames) {
  EXPECT_EQ(handlers_.Services(Get("")).body.view(), R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
  Add(1, "b", "GET");
  Add(2, "a", "POST");
  Add(3, "a", "GET");
  EXPECT_EQ(handlers_.Services(Get("")).body.view(),
            R"({"data":["a","b"],"total":2,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(handlers_.OperationNames(Get(""), "a").body.view(),
            R"({"data":["GET","POST"],"total":2,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(handlers_.Operations(Get("service=b")).body.view(),
            R"({"data":[{"name":"GET","spanKind":"server"}],"total":1,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(handlers_.Operations(Get("service=b&spanKind=client")).body.view(),
            R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(
      handlers_.Operations(Get("")).body.view(),
      R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"parameter 'service' is required"}]})");
}

// Scenario: traces of several services, durations and ages, asked for by each parameter.
// Guarantees: each parameter selects; newest first; nothing older than two days unless asked for.
TEST_F(HandlersTest, SearchesByEachParameter) {
  Add(1, "a", "GET", 10, 5);
  Add(2, "a", "POST", 20, 50);
  Add(3, "b", "GET", 30, 500);
  Add(4, "a", "GET", 3 * 86'400);
  EXPECT_EQ(Search(""), "123");
  EXPECT_EQ(Search("service=a"), "12");
  EXPECT_EQ(Search("service=a&operation=POST"), "2");
  EXPECT_EQ(Search("limit=1"), "1");
  EXPECT_EQ(Search("minDuration=50ms"), "23");
  EXPECT_EQ(Search("maxDuration=50ms"), "12");
  EXPECT_EQ(Search("tag=trace:3"), "3");
  EXPECT_EQ(Search("tags=%7B%22trace%22%3A%222%22%7D"), "2");
  EXPECT_EQ(Search("service=a&start=0"), "124");
  EXPECT_EQ(Search(StrCat("end=", clock_.UnixNs() / 1'000 - 15'000'000)), "23");
  EXPECT_EQ(Search("service=nobody"), "");
}

// Scenario: one trace by its id, a short form of it, one that is missing, one that is no id.
// Guarantees: 200, 404 and 400 with Jaeger's bodies.
TEST_F(HandlersTest, GetsOneTrace) {
  Add(1, "a", "GET");
  const net::HttpResponse found = handlers_.Trace(Get(""), "1");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(json::parse(found.body.view())["data"][0]["spans"][0]["operationName"], "GET");
  const net::HttpResponse missing = handlers_.Trace(Get(""), "2");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body.view(),
            R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]})");
  EXPECT_EQ(handlers_.Trace(Get(""), "no id").status, 400);
  EXPECT_EQ(handlers_.Trace(Get("start=x"), "1").status, 400);
}

// Scenario: three ids at once, one of which nobody sent.
// Guarantees: 200 with those that are there; the other one in errors.
TEST_F(HandlersTest, GetsTracesByRepeatedId) {
  Add(1, "a", "GET");
  Add(3, "a", "GET");
  const net::HttpResponse response = handlers_.Search(Get("traceID=1&traceID=2&traceID=3"));
  EXPECT_EQ(response.status, 200);
  const json body = json::parse(response.body.view());
  EXPECT_EQ(body["data"].size(), 2);
  EXPECT_EQ(body["errors"], json::parse(R"([{"msg":"trace not found","traceID":"00000000000000000000000000000002"}])"));
}

// Scenario: an answer of many traces under a small limit on its size.
// Guarantees: 413 that says what to lower, instead of an answer without end.
TEST_F(HandlersTest, BoundsItsAnswers) {
  for (uint64_t i = 1; i <= 9; ++i) Add(i, "a", "GET");
  const Handlers small(store_, clock_, {.answer_bytes_max = 1'000});
  const net::HttpResponse response = small.Search(Get(""));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(std::string(response.body.view()), testing::HasSubstr("lower 'limit'"));
  EXPECT_EQ(small.Search(Get("limit=1")).status, 200);
}

// Scenario: a client that has gone before the store is asked, for each question.
// Guarantees: none is worked on.
TEST_F(HandlersTest, AsksNothingForAClientThatHasGone) {
  Add(1, "a", "GET");
  std::stop_source stop;
  stop.request_stop();
  const std::stop_token gone = stop.get_token();
  EXPECT_EQ(handlers_.Services(Get(""), gone).status, kClientGone);
  EXPECT_EQ(handlers_.Operations(Get("service=a"), gone).status, kClientGone);
  EXPECT_EQ(handlers_.OperationNames(Get(""), "a", gone).status, kClientGone);
  EXPECT_EQ(handlers_.Search(Get(""), gone).status, kClientGone);
  EXPECT_EQ(handlers_.Search(Get("traceID=1"), gone).status, kClientGone);
  EXPECT_EQ(handlers_.Trace(Get(""), "1", gone).status, kClientGone);
  EXPECT_EQ(handlers_.Dependencies(Get(""), gone).status, kClientGone);
}

// Scenario: prettyPrint.
// Guarantees: the same JSON over several lines.
TEST_F(HandlersTest, PrettyPrintsWhenAsked) {
  Add(1, "a", "GET");
  const net::HttpResponse plain = handlers_.Trace(Get(""), "1");
  const net::HttpResponse pretty = handlers_.Trace(Get("prettyPrint=true"), "1");
  EXPECT_GT(pretty.body.size(), plain.body.size());
  EXPECT_EQ(json::parse(pretty.body.view()), json::parse(plain.body.view()));
}

// Scenario: a gateway that calls a pod, asked for with and without a service.
// Guarantees: Jaeger's body; a service that takes no part filters everything out.
TEST_F(HandlersTest, CountsDependencies) {
  const auto now = static_cast<uint64_t>(clock_.UnixNs());
  const SpanSpec root = {.trace_id = MakeTraceId(1), .span_id = MakeSpanId(1), .start_unix_ns = now - 9};
  const SpanSpec child = {
      .trace_id = MakeTraceId(1), .span_id = MakeSpanId(2), .parent_span_id = MakeSpanId(1), .start_unix_ns = now - 8};
  store_.Add(store::RequestBuilder().FromService("gateway").Add(root).FromService("pod").Add(child).Build());
  EXPECT_EQ(json::parse(handlers_.Dependencies(Get("")).body.view())["data"],
            json::parse(R"([{"parent":"gateway","child":"pod","callCount":1}])"));
  EXPECT_TRUE(json::parse(handlers_.Dependencies(Get("service=other")).body.view())["data"].empty());
  EXPECT_EQ(handlers_.Dependencies(Get("endTs=x")).status, 400);
}

}  // namespace
}  // namespace spanloom::query::jaeger
