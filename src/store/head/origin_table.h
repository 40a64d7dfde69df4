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

// An origin in an OriginTable, which stays where it is.
struct KnownOrigin {
  std::shared_ptr<const SpanOrigin> origin;  // shared with the spans that refer to it
  size_t bytes = 0;                          // OriginBytes
  size_t traces = 0;                         // that use it
};

// Thread-compatible: guarded by the store's mutex. Equal origins are the same object as long as any trace uses them, so
// that pointers can be compared instead of contents.
class OriginTable {
 public:
  struct Found {
    KnownOrigin& known;
    bool is_new = false;
  };
  // The one that equals `origin`, which is added if there is none. A new one is not counted before a trace uses it.
  Found FindOrAdd(const std::shared_ptr<const SpanOrigin>& origin);
  // Removes it if no trace uses it.
  void RemoveUnused(KnownOrigin& known);

  // One more trace uses it.
  void Acquire(KnownOrigin& known);
  // One trace less uses it; the last one removes it.
  void Release(KnownOrigin& known);

  // OriginBytes of all that are used, each counted once.
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  struct ContentHash {
    size_t operator()(const SpanOrigin* origin) const;
  };
  struct ContentEqual {
    bool operator()(const SpanOrigin* a, const SpanOrigin* b) const;
  };

  absl::flat_hash_map<const SpanOrigin*, std::unique_ptr<KnownOrigin>, ContentHash, ContentEqual> known_;
  size_t bytes_ = 0;
};

}  // namespace spanloom::store::head
