// SPDX-License-Identifier: Apache-2.0
//
// Bytes that lie in several places and are read one after the other: a message made of received requests is sent from
// where they are.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace spanloom {

// An immutable value as Bytes is, but for Append. Thread-compatible.
class ByteChain {
 public:
  ByteChain() = default;
  // One piece.
  explicit ByteChain(Bytes piece) { Append(std::move(piece)); }

  void Append(Bytes piece) {
    if (piece.empty()) return;
    size_ += piece.size();
    pieces_.push_back(std::move(piece));
  }

  // In order; none is empty.
  [[nodiscard]] const std::vector<Bytes>& pieces() const { return pieces_; }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  void AppendTo(std::string& out) const {
    for (const Bytes& piece : pieces_) out.append(piece.view());
  }

  // All of it in one place: the piece itself if there is one alone, else a copy.
  [[nodiscard]] Bytes Joined() const {
    if (pieces_.empty()) return {};
    if (pieces_.size() == 1) return pieces_.front();
    std::string joined;
    joined.reserve(size_);
    AppendTo(joined);
    return Bytes(std::move(joined));
  }

 private:
  std::vector<Bytes> pieces_;
  size_t size_ = 0;
};

}  // namespace spanloom
