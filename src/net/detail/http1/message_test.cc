// SPDX-License-Identifier: Apache-2.0

#include "net/detail/http1/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spanloom::net::http1 {
namespace {

using testing::HasSubstr;
using testing::Not;

HttpRequest RequestWith(const std::string& name, const std::string& value) {
  HttpRequest request;
  request.method = "GET";
  request.path = "/";
  request.headers.Add(name, value);
  return request;
}

// Scenario: requests without a Host, with one, and with an empty one, as they are passed on.
// Guarantees: there is one Host, and what the request says goes first: two would be refused.
TEST(RequestHead, HasOneHost) {
  EXPECT_THAT(RequestHead(RequestWith("x", "y"), "example:1", 0), HasSubstr("host: example:1\r\n"));
  for (const char* const host : {"", "other"}) {
    const std::string head = RequestHead(RequestWith("host", host), "example:1", 0);
    EXPECT_THAT(head, HasSubstr(std::string("host: ") + host + "\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("example")));
  }
}

}  // namespace
}  // namespace spanloom::net::http1
