// SPDX-License-Identifier: Apache-2.0

#include "pipeline/pipeline_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/testing/pipeline_fixture.h"

namespace spanloom::pipeline {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PipelineListTest : public testing::Test, protected PipelineFixture {
 protected:
  // What the extension of the running engine answers.
  std::string Page(const std::string& name) {
    std::string address = Address("zpages");
    address = address.substr(7, address.find('/', 7) - 7);
    net::HttpRequest request;
    request.method = "GET";
    request.path = "/debug/" + name;
    const auto response = SendHttp(loops.At(0), address, request);
    return response.ok() && response->status == 200 ? std::string(response->body.view()) : "";
  }
};

constexpr char kTwoPipelines[] = R"(
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 9000}, attributes: {actions: [{key: a, action: delete}]}}
exporters: {nop: , debug: }
extensions: {zpages: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [zpages]
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, attributes], exporters: [nop, debug]}
    metrics: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}
)";

// Scenario: an engine with two pipelines, looked at over the network; then it goes over to one without processors.
// Guarantees: each pipeline is shown with what it is made of, and whether it changes what passes; after the reload, the
// new one.
TEST_F(PipelineListTest, ShowsThePipelinesThatRun) {
  Build(kTwoPipelines);
  ASSERT_TRUE(engine->Start().ok());
  const std::string page = Page("pipelinez");
  EXPECT_THAT(page, HasSubstr("<tr><td>traces</td><td>traces</td><td>yes</td><td>otlp</td>"
                              "<td>memory_limiter, attributes</td><td>nop, debug</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>metrics</td><td>metrics</td><td>no</td><td>otlp</td>"
                              "<td>memory_limiter</td><td>nop</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<td>receiver</td><td>otlp</td><td></td><td>StatusOK</td>"));
  EXPECT_THAT(Page("extensionz"), HasSubstr("<td>extension</td><td>zpages</td>"));
  const auto next = Parse(kTwoPipelines, {"service::pipelines::traces::processors=[]"});
  ASSERT_TRUE(engine->Reload(next, 1s).ok());
  EXPECT_THAT(Page("pipelinez"), HasSubstr("<td>traces</td><td>traces</td><td>no</td><td>otlp</td><td></td>"));
  engine->Stop(1s);
}

}  // namespace
}  // namespace spanloom::pipeline
