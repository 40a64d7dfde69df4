// SPDX-License-Identifier: Apache-2.0
//
// Every origin that stored spans refer to, once: a process sends the same resource with each request, and it must not
// be kept as often.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "store/span.h"

namespace spanloom::store::head {

// What an origin counts for in StoreStats::bytes.
[[nodiscard]] size_t OriginBytes(const SpanOrigin& origin);

// Thread-compatible: guarded by the store's mutex. Equal origins are the same object as long as any trace uses them, so
// that pointers can be compared instead of contents.
class OriginTable {
 public:
  // The origin in use that equals `origin`, or `origin` itself. Nothing is counted yet.
  [[nodiscard]] std::shared_ptr<const SpanOrigin> Find(const std::shared_ptr<const SpanOrigin>& origin) const;

  // One more trace uses `origin`, which came from Find.
  void Acquire(const std::shared_ptr<const SpanOrigin>& origin);

  // One trace less uses it; the last one removes it. It must be in use.
  void Release(const SpanOrigin& origin);

  // OriginBytes of all, each counted once.
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] size_t size() const { return uses_.size(); }

 private:
  struct ContentHash {
    size_t operator()(const SpanOrigin* origin) const;
  };
  struct ContentEqual {
    bool operator()(const SpanOrigin* a, const SpanOrigin* b) const;
  };
  struct Use {
    std::shared_ptr<const SpanOrigin> origin;  // shared with the spans that refer to it
    size_t traces = 0;
  };

  absl::flat_hash_map<const SpanOrigin*, Use, ContentHash, ContentEqual> uses_;
  size_t bytes_ = 0;
};

}  // namespace spanloom::store::head
