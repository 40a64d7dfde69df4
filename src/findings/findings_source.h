// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with the process that answers, its configuration and the traces that it has: declared here, found by
// whoever knows them all (app). /api/insight/findings and /debug/findingsz ask it. Format: docs/insight.md.

#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/status.h"

namespace spanloom::findings {

// As the doctor has it.
struct Finding {
  std::string rule = {};      // stable, lower case with hyphens
  std::string severity = {};  // "error", "warning", "note"
  std::string where = {};     // a file as the user named it, or what else was looked at
  int line = 0;               // of the file, from 1; 0 if there are no lines
  std::string what = {};
  std::string fix = {};  // to be pasted; "" if there is nothing to paste
};

struct FindingsReport {
  int64_t looked_unix_ns = 0;              // when the examination had ended
  std::vector<Finding> findings = {};      // the gravest first
  std::vector<std::string> left_out = {};  // what was not looked at, and why, a sentence each
};

// Thread-safe.
class FindingsSource {
 public:
  virtual ~FindingsSource() = default;

  // What was found, now or a while ago: how long an answer is kept, how much is looked at and for how long is the
  // implementation's to bound. May block on the store, until `stop` is requested: not to be called on a loop. Errors:
  // kCancelled (a stop was requested), kUnavailable (somebody else's question is being answered for the first time).
  [[nodiscard]] virtual StatusOr<FindingsReport> Find(std::stop_token stop) = 0;
};

}  // namespace spanloom::findings
