// SPDX-License-Identifier: Apache-2.0

#include "query/router.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace spanloom::query {
namespace {

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    Add("GET", "/api/traces");
    Add("GET", "/api/traces/{id}");
    Add("GET", "/api/services/{service}/operations");
    Add("POST", "/api/traces");
  }

  // A handler that answers with its pattern and arguments.
  void Add(const char* method, const char* pattern) {
    router_.Add(method, pattern,
                [method, pattern](const net::HttpRequest&, const PathArguments& arguments, const std::stop_token&) {
                  std::string text = StrCat(method, " ", pattern);
                  for (const std::string& argument : arguments) StrAppend(text, " ", argument);
                  return net::TextResponse(200, text);
                });
  }

  net::HttpResponse Handle(const char* method, const char* path) const {
    net::HttpRequest request;
    request.method = method;
    request.path = path;
    return router_.Handle(request, {});
  }

  Router router_{[](int status, std::string_view message) { return net::TextResponse(status, message); }};
};

// Scenario: a literal path, one with an argument, one with an escaped slash in it, HEAD.
// Guarantees: the right handler with decoded arguments.
TEST_F(RouterTest, FindsHandlers) {
  EXPECT_EQ(Handle("GET", "/api/traces").body.view(), "GET /api/traces");
  EXPECT_EQ(Handle("HEAD", "/api/traces").body.view(), "GET /api/traces");
  EXPECT_EQ(Handle("POST", "/api/traces").body.view(), "POST /api/traces");
  EXPECT_EQ(Handle("GET", "/api/traces/1f").body.view(), "GET /api/traces/{id} 1f");
  EXPECT_EQ(Handle("GET", "/api/services/a%2Fb%20c/operations").body.view(),
            "GET /api/services/{service}/operations a/b c");
}

// Scenario: paths that are too short, too long, have an empty argument, or no slash.
// Guarantees: 404 that names the path.
TEST_F(RouterTest, SaysNotFound) {
  for (const char* path : {"/api", "/api/traces/", "/api/traces/1/2", "/api/services//operations", "/", "", "*"}) {
    EXPECT_EQ(Handle("GET", path).status, 404) << path;
  }
}

// Scenario: a path that is there for other methods.
// Guarantees: 405 with all that are allowed.
TEST_F(RouterTest, SaysWhichMethodsAreAllowed) {
  const net::HttpResponse response = Handle("DELETE", "/api/traces");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.Get("allow"), "GET, HEAD, POST");
}

}  // namespace
}  // namespace spanloom::query
