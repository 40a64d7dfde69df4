// SPDX-License-Identifier: Apache-2.0

#include "request_body.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "socket.h"

namespace spanloom::bench {
namespace {

constexpr size_t kCountBytes = 8;  // the end of a placeholder of 16 bytes, or its last 8 digits of 32

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Die("can't read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

RequestBody::RequestBody(const std::string& path, std::string placeholder)
    : content_(ReadFile(path)), placeholder_(std::move(placeholder)) {
  if (placeholder_.empty()) return;
  for (size_t at = content_.find(placeholder_); at != std::string::npos; at = content_.find(placeholder_, at + 1)) {
    places_.push_back(at + placeholder_.size() - kCountBytes);
  }
  if (places_.empty()) Die("the placeholder is not in " + path);
}

std::string_view RequestBody::Next() {
  ++count_;
  char text[kCountBytes + 1];
  std::snprintf(text, sizeof text, "%08llx", static_cast<unsigned long long>(count_ & 0xffffffff));
  for (const size_t place : places_) std::memcpy(content_.data() + place, text, kCountBytes);
  return content_;
}

}  // namespace spanloom::bench
