// SPDX-License-Identifier: Apache-2.0
//
// What the doctor has to say: what is wrong, where it was written, what comes of it, and what to write instead.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"

namespace spanloom::doctor {

enum class Severity : uint8_t {
  kError,    // traces are missing or wrong, or a pod does not start
  kWarning,  // traces are missing or wrong under some condition, which is said
  kNote,     // works, but is likely not what was meant
};

// "error", "warning", "note".
[[nodiscard]] std::string_view NameOf(Severity severity);

struct Finding {
  std::string_view rule;  // stable, lower case with hyphens; docs/doctor.md has each. Of static storage
  Severity severity = Severity::kError;
  config::Source where = {};
  std::string what = {};  // one sentence or two: what stands there, and what comes of it
  std::string fix = {};   // to be pasted; "" if there is nothing to paste
};

// Gathers findings. Thread-compatible.
class Findings {
 public:
  void Error(std::string_view rule, const config::Source& where, std::string what, std::string fix = "") {
    all_.push_back({rule, Severity::kError, where, std::move(what), std::move(fix)});
  }
  void Warning(std::string_view rule, const config::Source& where, std::string what, std::string fix = "") {
    all_.push_back({rule, Severity::kWarning, where, std::move(what), std::move(fix)});
  }
  void Note(std::string_view rule, const config::Source& where, std::string what, std::string fix = "") {
    all_.push_back({rule, Severity::kNote, where, std::move(what), std::move(fix)});
  }
  [[nodiscard]] const std::vector<Finding>& all() const { return all_; }
  [[nodiscard]] std::vector<Finding> Take() && { return std::move(all_); }

 private:
  std::vector<Finding> all_;
};

}  // namespace spanloom::doctor
