// SPDX-License-Identifier: Apache-2.0
//
// The spans of a trace that need not be held all at once.

#pragma once

#include <vector>

#include "base/status.h"
#include "store/span.h"

namespace spanloom::store::columnar {

// Thread-compatible.
class SpanSource {
 public:
  virtual ~SpanSource() = default;

  // Begins again with the first.
  virtual void Rewind() = 0;

  // The next ones, by start, then arrival: some thousand at most, none at the end; the same after each Rewind().
  virtual StatusOr<std::vector<StoredSpan>> Next() = 0;
};

}  // namespace spanloom::store::columnar
