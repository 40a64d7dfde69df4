// SPDX-License-Identifier: Apache-2.0
//
// The server over loopback, with the client of net/.

#include "query/query_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/mutex.h"
#include "base/text.h"
#include "net/client.h"
#include "net/compression.h"
#include "net/testing/net_fixture.h"
#include "store/conformance/model_store.h"
#include "store/conformance/request_builder.h"

namespace spanloom::query {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using testing::HasSubstr;

// Finds nothing, for as long as it may; says when it was stopped.
class EndlessCursor final : public store::SpanCursor {
 public:
  EndlessCursor(std::stop_token stop, Notification& is_stopped) : stop_(std::move(stop)), is_stopped_(is_stopped) {}
  StatusOr<std::optional<store::SpanBatch>> Next() override {
    const std::stop_callback on_stop(stop_, [this] { is_stopped_.Notify(); });
    is_stopped_.Wait();
    return absl::CancelledError("stopped");
  }
  [[nodiscard]] store::FetchStats stats() const override { return {}; }

 private:
  const std::stop_token stop_;
  Notification& is_stopped_;
};

// A store that answers Services only when it is let, never finds an end of Fetch, and refuses the rest.
class SlowStore final : public store::SpanStore {
 public:
  [[nodiscard]] store::Capabilities capabilities() const override { return {}; }
  StatusOr<std::unique_ptr<store::Reservation>> Reserve(const otlp::Batch&) override { return Closed(); }
  [[nodiscard]] StatusOr<store::Trace> GetTrace(const otlp::TraceId&, const store::TimeRange&,
                                                const store::ReadLimits&) const override {
    return Closed();
  }
  [[nodiscard]] StatusOr<std::unique_ptr<store::SpanCursor>> Fetch(store::FetchPlan plan) const override {
    if (!is_entered_.HasBeenNotified()) is_entered_.Notify();
    return std::make_unique<EndlessCursor>(plan.limits.stop, is_stopped_);
  }
  [[nodiscard]] StatusOr<store::RowPage<store::TraceRow>> Traces(
      const store::RowQuery<store::TraceColumn>&) const override {
    return Closed();
  }
  [[nodiscard]] StatusOr<store::AggregateAnswer> GroupTraces(
      const store::RowGroupQuery<store::TraceColumn>&) const override {
    return Closed();
  }
  [[nodiscard]] StatusOr<std::vector<store::ServiceName>> Services(const store::NameQuery&) const override {
    if (!is_entered_.HasBeenNotified()) is_entered_.Notify();
    may_go_on_.Wait();
    return std::vector<store::ServiceName>{{.name = "slow", .spans = 1}};
  }
  [[nodiscard]] StatusOr<std::vector<store::OperationName>> Operations(const std::string&,
                                                                       const store::NameQuery&) const override {
    return Closed();
  }
  [[nodiscard]] StatusOr<std::vector<store::KeyName>> Keys(const store::NameQuery&) const override { return Closed(); }
  [[nodiscard]] StatusOr<std::vector<store::FieldValue>> Values(const store::ValueQuery&) const override {
    return Closed();
  }
  StatusOr<store::Removed> SetRetention(const store::RetentionPolicy&) override { return Closed(); }
  [[nodiscard]] store::StoreStats Stats() const override { return {}; }

  void WaitUntilEntered() const { is_entered_.Wait(); }
  [[nodiscard]] bool WaitUntilStopped() const { return is_stopped_.WaitFor(net::kPatience); }
  void Release() { may_go_on_.Notify(); }

 private:
  static Status Closed() { return absl::UnavailableError("closed"); }

  mutable Notification is_entered_;
  mutable Notification is_stopped_;
  Notification may_go_on_;
};

class QueryServerTest : public testing::Test {
 protected:
  ~QueryServerTest() override { CloseClient(); }

  void CloseClient() {
    if (client_ == nullptr) return;
    net::RunOn(loop(), [this] {
      client_.reset();
      return true;
    });
  }

  void Start(const store::SpanStore& store, QueryServerOptions options = {}) {
    options.endpoint = "127.0.0.1:0";
    auto server = QueryServer::Create(loops_, metrics_, store, options,
                                      {{"/index.html", "text/html; charset=utf-8", index_.view(), "tag"}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = net::RunOn(loop(), [this] {
      net::HttpClientOptions client_options;
      client_options.endpoint = server_->endpoint();
      return *net::HttpClient::Create(loop(), client_options);
    });
  }

  net::Promise<StatusOr<HttpResponse>> Begin(const std::string& method, const std::string& path,
                                             const std::string& query, const std::string& accept_encoding) {
    const net::Promise<StatusOr<HttpResponse>> promise;
    loop().Post([=, this] {
      HttpRequest request;
      request.method = method;
      request.path = path;
      request.query = query;
      request.headers.Add("accept-encoding", accept_encoding);
      client_->Send(std::move(request), std::chrono::seconds(20),
                    [promise](StatusOr<HttpResponse> response) { promise.Set(std::move(response)); });
    });
    return promise;
  }

  HttpResponse Get(const std::string& path, const std::string& query = "", const std::string& accept_encoding = "") {
    auto response = Begin("GET", path, query, accept_encoding).Get();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? *std::move(response) : HttpResponse{};
  }

  net::Loop& loop() { return loops_.At(0); }

  const Bytes index_ = net::Compress(net::Compression::kGzip, "<html>");
  store::ModelStore model_;
  net::LoopPool loops_{2};
  MetricRegistry metrics_;
  std::unique_ptr<QueryServer> server_;
  std::unique_ptr<net::HttpClient> client_;
};

store::SpanSpec SpanOf(uint64_t number) {
  return {.trace_id = store::MakeTraceId(number), .span_id = store::MakeSpanId(number), .name = "GET"};
}

// Scenario: every path of the API, and addresses of the page.
// Guarantees: it is wired: each answers what it is for, with the headers of a safe page, and is counted.
TEST_F(QueryServerTest, ServesApiAndPage) {
  model_.Add(store::RequestBuilder().FromService("a/b").Add(SpanOf(1)).Build());
  Start(model_);
  EXPECT_THAT(std::string(Get("/api/services").body.view()), HasSubstr(R"("data":["a/b"])"));
  EXPECT_THAT(std::string(Get("/api/services/a%2Fb/operations").body.view()), HasSubstr(R"("data":["GET"])"));
  EXPECT_THAT(std::string(Get("/api/operations", "service=a%2Fb").body.view()), HasSubstr(R"("name":"GET")"));
  EXPECT_THAT(std::string(Get("/api/traces", "start=0").body.view()), HasSubstr(R"("operationName":"GET")"));
  EXPECT_THAT(std::string(Get("/api/traces/1").body.view()), HasSubstr(R"("operationName":"GET")"));
  EXPECT_THAT(std::string(Get("/api/dependencies").body.view()), HasSubstr(R"("data":[])"));
  EXPECT_EQ(Get("/trace/1").body.view(), "<html>");

  const HttpResponse response = Get("/api/services");
  EXPECT_EQ(response.headers.Get("content-type"), "application/json");
  EXPECT_EQ(response.headers.Get("x-content-type-options"), "nosniff");
  EXPECT_THAT(std::string(response.headers.Get("content-security-policy")), HasSubstr("default-src 'self'"));
  EXPECT_EQ(metrics_.Sum("spanloom_query_requests", {{"code", "200"}}), 8);
}

// Scenario: paths below /api/ that are not there, another method, HEAD.
// Guarantees: errors in Jaeger's shape; HEAD has the headers of GET and no body.
TEST_F(QueryServerTest, SaysWhatItDoesNotHave) {
  Start(model_);
  const HttpResponse missing = Get("/api/metrics/minstep");
  EXPECT_EQ(missing.status, 404);
  EXPECT_THAT(std::string(missing.body.view()),
              HasSubstr(R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404)"));
  const auto not_allowed = Begin("POST", "/api/traces", "", "").Get();
  ASSERT_TRUE(not_allowed.ok());
  EXPECT_EQ(not_allowed->status, 405);
  EXPECT_EQ(not_allowed->headers.Get("allow"), "GET, HEAD");
  const auto head = Begin("HEAD", "/api/services", "", "").Get();
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->headers.Get("content-type"), "application/json");
  EXPECT_TRUE(head->body.empty());
}

// Scenario: a large and a small answer, for a client that takes gzip and one that does not.
// Guarantees: only the large one is compressed, only for the first client, to the same JSON.
TEST_F(QueryServerTest, CompressesLargeAnswers) {
  for (uint64_t i = 1; i <= 20; ++i) {
    model_.Add(store::RequestBuilder().FromService("s").Add(SpanOf(i)).Build());
  }
  Start(model_);
  const HttpResponse plain = Get("/api/traces", "start=0");
  EXPECT_EQ(plain.headers.Get("content-encoding"), "");
  const HttpResponse zipped = Get("/api/traces", "start=0", "gzip");
  EXPECT_EQ(zipped.headers.Get("content-encoding"), "gzip");
  EXPECT_EQ(zipped.headers.Get("vary"), "accept-encoding");
  EXPECT_EQ(zipped.body.view(), plain.body.view());  // the client has undone it
  EXPECT_EQ(Get("/api/services", "", "gzip").headers.Get("content-encoding"), "");
}

// Scenario: one reader that is held by the store, one place to wait, a third request.
// Guarantees: 503 with Retry-After at once, counted; the other two are answered when the store goes on.
TEST_F(QueryServerTest, RefusesWhatDoesNotFit) {
  SlowStore slow;
  Start(slow, {.readers = 1, .waiting_max = 1});
  const auto first = Begin("GET", "/api/services", "", "");
  slow.WaitUntilEntered();
  const auto second = Begin("GET", "/api/services", "", "");
  const auto third = Begin("GET", "/api/services", "", "");
  // Second and third come over two connections, so either may be the one that does not fit.
  while (metrics_.Sum("spanloom_query_refused", {{"cause", "busy"}}) == 0) std::this_thread::yield();
  slow.Release();
  std::vector<int> statuses;
  for (const auto& answer : {first, second, third}) {
    const auto response = answer.Get();
    ASSERT_TRUE(response.ok()) << response.status();
    statuses.push_back(response->status);
    EXPECT_EQ(response->headers.Get("retry-after"), response->status == 503 ? "1" : "");
  }
  EXPECT_THAT(statuses, testing::UnorderedElementsAre(200, 200, 503));
}

// Scenario: a request is with the store when the server is asked to stop.
// Guarantees: it is still answered within the grace time.
TEST_F(QueryServerTest, FinishesWhatIsUnderWay) {
  SlowStore slow;
  Start(slow);
  const auto answer = Begin("GET", "/api/services", "", "");
  slow.WaitUntilEntered();
  std::thread stopper([this] { EXPECT_EQ(server_->Stop(std::chrono::seconds(20)), 0); });
  slow.Release();
  const auto response = answer.Get();
  stopper.join();
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, 200);
}

// Scenario: a client asks what the store could look for for ever, and goes away.
// Guarantees: the store is told to stop; what it says then is no answer to anybody.
TEST_F(QueryServerTest, StopsTheQuestionOfAClientThatHasGone) {
  SlowStore slow;
  Start(slow, {.readers = 1});
  const auto answer = Begin("GET", "/api/traces", "service=a", "");
  slow.WaitUntilEntered();
  CloseClient();
  EXPECT_TRUE(slow.WaitUntilStopped());
  EXPECT_FALSE(answer.Get().ok());
  server_.reset();  // waits for the reader
  EXPECT_EQ(metrics_.Sum("spanloom_query_requests", {{"code", "499"}}), 1);
}

// Scenario: the same, but the client waits, and the server ends without grace.
// Guarantees: the end does not wait for the store; the client gets no answer.
TEST_F(QueryServerTest, StopsItsQuestionsWhenItEnds) {
  SlowStore slow;
  Start(slow, {.readers = 1});
  const auto answer = Begin("GET", "/api/traces", "service=a", "");
  slow.WaitUntilEntered();
  server_.reset();
  EXPECT_TRUE(slow.WaitUntilStopped());
  EXPECT_FALSE(answer.Get().ok());
  EXPECT_EQ(metrics_.Sum("spanloom_query_requests", {{"code", "499"}}), 1);
}

// Scenario: the store can't answer now.
// Guarantees: 503 with its reason.
TEST_F(QueryServerTest, PassesOnThatTheStoreIsUnavailable) {
  SlowStore slow;
  Start(slow);
  const HttpResponse response = Get("/api/operations", "service=a");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(std::string(response.body.view()), HasSubstr("closed"));
  slow.Release();
}

class FixedStatus final : public StatusSource {
 public:
  [[nodiscard]] StatusReport Status() const override {
    return {.version = "1.2", .counts = {{.part = "receiver", .id = "otlp", .event = "accepted", .spans = 3}}};
  }
};

// What it was given, or an error.
class FixedFindings final : public findings::FindingsSource {
 public:
  [[nodiscard]] StatusOr<findings::FindingsReport> Find(std::stop_token stop) override {
    if (!stop.stop_possible()) return absl::InternalError("nobody could stop this");
    return answer;
  }
  StatusOr<findings::FindingsReport> answer = absl::UnavailableError("being looked at");
};

// Scenario: a server whose process tells how it is doing, and what is wrong with it once it has looked.
// Guarantees: both are answered in the envelope of the other answers; an error of the source is one of the answer.
TEST_F(QueryServerTest, TellsOfTheProcess) {
  const FixedStatus status;
  FixedFindings findings;
  Start(model_, {.insight = {.status = &status, .findings = &findings}});
  EXPECT_THAT(std::string(Get("/api/insight/status").body.view()),
              HasSubstr(R"("version":"1.2","counts":[{"part":"receiver","id":"otlp","event":"accepted","spans":3}])"));
  EXPECT_EQ(Get("/api/insight/findings").status, 503);
  findings.answer = findings::FindingsReport{.findings = {{.rule = "live-orphans", .severity = "warning"}}};
  const HttpResponse found = Get("/api/insight/findings");
  EXPECT_EQ(found.status, 200);
  EXPECT_THAT(std::string(found.body.view()), HasSubstr(R"("errors":0,"warnings":1,"notes":0)"));
  EXPECT_THAT(std::string(found.body.view()), HasSubstr(R"("total":1)"));
}

// Scenario: a server whose process tells nothing.
// Guarantees: the paths are not there.
TEST_F(QueryServerTest, HasNoInsightWithoutSources) {
  Start(model_);
  EXPECT_EQ(Get("/api/insight/status").status, 404);
  EXPECT_EQ(Get("/api/insight/findings").status, 404);
}

}  // namespace
}  // namespace spanloom::query
