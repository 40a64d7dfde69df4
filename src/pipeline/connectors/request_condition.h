// SPDX-License-Identifier: Apache-2.0
//
// A condition on what a request came with, as the Collector's routing connector has it:
//   request["X-Tenant"] == "acme"
//   request["X-Tenant"] != "acme"

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "otlp/request_origin.h"

namespace spanloom::pipeline {

// Immutable.
class RequestCondition {
 public:
  // kInvalidArgument if `text` has another form.
  static StatusOr<RequestCondition> Parse(std::string_view text);

  // True if one of the values of the header is (with != is not) the text. A request without the header, or of which
  // nobody knows it (`origin` is null, or the receiver keeps no metadata), does not match, whatever is compared.
  [[nodiscard]] bool Matches(const otlp::RequestOrigin* origin) const;

 private:
  std::string header_;  // in lower case
  std::string value_;
  bool equal_ = true;
};

}  // namespace spanloom::pipeline
