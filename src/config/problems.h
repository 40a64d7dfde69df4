// SPDX-License-Identifier: Apache-2.0
//
// All that is wrong with a configuration, collected so that a user sees it at once.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::config {

// Thread-compatible.
class Problems {
 public:
  // "FILE:LINE: PATH: TEXT", as in `config.yaml:12: processors::batch: has invalid keys: foo`: editors and terminals
  // find the place in it.
  void Add(std::string_view path, std::string_view text, const Source& source);
  void Add(std::string line) { problems_.push_back({.text = std::move(line), .file = ""}); }
  // The lines of an error that collected some already.
  void Add(const Status& status);

  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] size_t size() const { return problems_.size(); }
  // In the order of Add.
  [[nodiscard]] std::vector<std::string> lines() const;
  // OK if there are none, else kInvalidArgument with a line each: those of one file together, in the order in which
  // they stand there.
  [[nodiscard]] Status ToStatus() const;

 private:
  struct Problem {
    std::string text;
    std::string file;
    int line = 0;
  };

  std::vector<Problem> problems_;
};

}  // namespace spanloom::config
