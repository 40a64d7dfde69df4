// SPDX-License-Identifier: Apache-2.0

#include "kube/line_splitter.h"

#include <utility>

namespace spanloom::kube {

void LineSplitter::Take(std::string_view piece, std::vector<std::string>& lines) {
  while (true) {
    const size_t end = piece.find('\n');
    Extend(piece.substr(0, end));
    if (end == std::string_view::npos) return;
    piece.remove_prefix(end + 1);
    if (!line_.empty()) lines.push_back(std::exchange(line_, {}));
    is_too_long_ = false;
  }
}

void LineSplitter::Extend(std::string_view part) {
  if (is_too_long_) return;
  if (line_.size() + part.size() <= line_bytes_max_) {
    line_ += part;
    return;
  }
  std::exchange(line_, {});  // gives its memory back
  is_too_long_ = true;
  ++too_long_lines_;
}

}  // namespace spanloom::kube
