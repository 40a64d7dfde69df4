// SPDX-License-Identifier: Apache-2.0
//
// Traces as the doctor looks at them: what a backend's API says of them, no more.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace spanloom::doctor {

struct SeenSpan {
  std::string id = {};      // hexadecimal
  std::string parent = {};  // "" for a root
  std::string service = {};
  std::string name = {};
  std::string kind = {};        // "client", "server", ... or ""
  std::string request_id = {};  // of the request that it serves, as BaseRequestId gives it; "" if it names none
  int64_t start_us = 0;
  int64_t end_us = 0;
  int64_t http_status = 0;  // of the answer; 0 if it names none
  bool is_error = false;
};

struct SeenTrace {
  std::string id = {};  // hexadecimal, 32 digits or 16
  std::vector<SeenSpan> spans = {};
};

// A trace's spans by their ids; borrows from it. Of two with one id the last.
using SpansById = std::map<std::string_view, const SeenSpan*>;
[[nodiscard]] SpansById IndexSpans(const SeenTrace& trace);

// Takes what the rules look at from an attribute: `text` of a string, "" of others; `number` of a whole number, 0 of
// others.
void SeeAttribute(std::string_view key, std::string_view text, int64_t number, SeenSpan& span);

// The traces of an answer of Jaeger's /api/traces. kInvalidArgument if it is none.
StatusOr<std::vector<SeenTrace>> ReadTraces(std::string_view answer);

// The names of an answer of Jaeger's /api/services.
StatusOr<std::vector<std::string>> ReadServices(std::string_view answer);

}  // namespace spanloom::doctor
