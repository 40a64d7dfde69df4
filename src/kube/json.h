// SPDX-License-Identifier: Apache-2.0
//
// Reading the API server's JSON with simdjson. For sources of this folder and for those who decode objects; headers
// name simdjson::dom::element ahead.

#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/text.h"

namespace spanloom::kube {

inline constexpr size_t kJsonDepthMax = 100;  // objects nest about 20 deep; guess

// Parses one text after the other; what is parsed lives until the next call. It takes 15 bytes a byte of the text,
// which are kept for the next one up to 1 MiB of it. Thread-compatible.
class JsonReader {
 public:
  // kInvalidArgument if `json` is not JSON, kResourceExhausted without memory for it.
  StatusOr<simdjson::dom::element> Read(std::string_view json) {
    static constexpr size_t kCapacityMin = 64;  // bytes; simdjson takes no smaller capacity
    if (parser_.capacity() > kCapacityKept && json.size() <= kCapacityKept) Release();
    if (parser_.capacity() < json.size() || parser_.capacity() == 0) {
      if (parser_.allocate(std::max(json.size(), kCapacityMin), kJsonDepthMax) != simdjson::SUCCESS) {
        return absl::ResourceExhaustedError(StrCat("no memory to parse ", json.size(), " bytes of JSON"));
      }
    }
    padded_.clear();
    padded_.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    padded_.append(json);
    simdjson::dom::element root;
    const simdjson::error_code error = parser_.parse(padded_.data(), padded_.size(), false).get(root);
    if (error != simdjson::SUCCESS) {
      return absl::InvalidArgumentError(StrCat("not JSON: ", simdjson::error_message(error)));
    }
    return root;
  }

  // Gives back the memory of what was parsed, which ends.
  void Release() {
    parser_ = simdjson::dom::parser();
    padded_ = std::string();
  }

 private:
  static constexpr size_t kCapacityKept = 1 << 20;  // most objects are below 100 KiB; guess

  simdjson::dom::parser parser_;
  std::string padded_;  // the text, with the room behind it that simdjson may read
};

// The text of `key` of an object; "" if there is none.
inline std::string_view TextAt(const simdjson::dom::element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

// Calls `visit` with each element of the list `key`; with none if there is no such list.
template <typename Visit>
void ForEachAt(const simdjson::dom::element& object, std::string_view key, Visit visit) {
  simdjson::dom::array list;
  if (object[key].get(list) != simdjson::SUCCESS) return;
  for (const simdjson::dom::element element : list) visit(element);
}

}  // namespace spanloom::kube
