// SPDX-License-Identifier: Apache-2.0

#include "query/jaeger/envelope.h"

#include <gtest/gtest.h>

namespace spanloom::query::jaeger {
namespace {

// Scenario: an answer without errors, one with a trace that is missing, and an error.
// Guarantees: Jaeger's shapes, byte for byte.
TEST(Envelope, HasJaegersShape) {
  DataResponse data;
  data.data().String("x");
  const net::HttpResponse answer = data.Finish(3);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("content-type"), "application/json");
  EXPECT_EQ(answer.body.view(), R"({"data":"x","total":3,"limit":0,"offset":0,"errors":null})");

  DataResponse partial;
  partial.data().Null();
  EXPECT_EQ(partial.Finish(0, {{.code = 0, .message = "trace not found", .trace_id = "01"}}).body.view(),
            R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"msg":"trace not found","traceID":"01"}]})");

  const net::HttpResponse error = ErrorResponse(absl::NotFoundError("trace not found"));
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.body.view(),
            R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]})");
}

// Scenario: each code that a store or a parameter gives.
// Guarantees: the HTTP status that tells the client what to do.
TEST(Envelope, MapsCodesToHttp) {
  EXPECT_EQ(ErrorResponse(absl::InvalidArgumentError("")).status, 400);
  EXPECT_EQ(ErrorResponse(absl::ResourceExhaustedError("")).status, 413);
  EXPECT_EQ(ErrorResponse(absl::UnavailableError("")).status, 503);
  EXPECT_EQ(ErrorResponse(absl::DeadlineExceededError("")).status, 504);
  EXPECT_EQ(ErrorResponse(absl::CancelledError("")).status, 499);
  EXPECT_EQ(ErrorResponse(absl::InternalError("")).status, 500);
}

// Scenario: nested, empty and escaped values.
// Guarantees: four spaces a level, empty brackets in one line, strings untouched.
TEST(Envelope, IndentsJson) {
  EXPECT_EQ(IndentJson(R"({"a":[1,{}],"b":"x,{\"y\":[\\","c":[]})"), R"({
    "a": [
        1,
        {}
    ],
    "b": "x,{\"y\":[\\",
    "c": []
})");
}

}  // namespace
}  // namespace spanloom::query::jaeger
