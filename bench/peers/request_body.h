// SPDX-License-Identifier: Apache-2.0
//
// The body that is sent again and again, each time with a trace id of its own, so that a store can't take one request
// for a repetition of another.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::bench {

class RequestBody {
 public:
  // Reads a file. Every place where `placeholder` stands is overwritten before each sending; "" leaves it as it is.
  RequestBody(const std::string& path, std::string placeholder);

  // The next body; valid until the next call. The last 8 bytes of every placeholder are a count in hexadecimal digits,
  // which suits ids in binary and in text alike.
  std::string_view Next();

  [[nodiscard]] size_t size() const { return content_.size(); }

 private:
  std::string content_;
  std::string placeholder_;
  std::vector<size_t> places_;  // [placeholders], offsets into content_, ascending
  uint64_t count_ = 0;
};

}  // namespace spanloom::bench
