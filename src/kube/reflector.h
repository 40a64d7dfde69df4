// SPDX-License-Identifier: Apache-2.0
//
// Keeps somebody up to date about the objects of one kind: lists them, watches what changes, and lists again when that
// is no longer known. Source: Kubernetes API concepts, "Efficient detection of changes" and "Retrieving large results
// sets in chunks".

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/retry_backoff.h"
#include "base/status.h"
#include "kube/api_client.h"
#include "kube/resource.h"

namespace simdjson::dom {
class element;
}

namespace spanloom::kube {

// Who is kept up to date; mirror.h is one. Called on worker threads, one call at a time; an object is valid during the
// call. What a call cannot use it leaves out.
class ReflectorSink {
 public:
  enum class Change : uint8_t { kAdded, kModified, kDeleted };

  virtual ~ReflectorSink() = default;

  // A list of all objects begins; it may be begun again before it has ended.
  virtual void BeginList() = 0;
  virtual void AddListed(std::span<const simdjson::dom::element> objects) = 0;
  // All objects there are have been listed: others are gone.
  virtual void EndList() = 0;
  // One object changed.
  virtual void Apply(Change change, const simdjson::dom::element& object) = 0;
};

struct ReflectorOptions {
  Resource resource;
  Selection selection = {};
  int page_objects_max = 500;           // client-go's; halved while a page is larger than an answer may be
  size_t line_bytes_max = 4 << 20;      // an object of a watch; etcd takes 1.5 MiB, JSON is larger; guess
  std::chrono::seconds watch_min{300};  // then a watch is begun anew; up to twice that, by chance. client-go's
  std::chrono::milliseconds silence_max{120'000};                     // of a watch; bookmarks come every minute; guess
  RetryIntervals backoff = {.first = std::chrono::milliseconds(800),  // client-go's
                            .longest = std::chrono::seconds(30),
                            .multiplier = 2,
                            .jitter = 0.5};
  uint64_t seed = 0;  // of jitter
};

// Bound to the client's loop; made, used and destroyed there. What the sink is in the middle of goes on beyond the
// destructor; nothing is called afterwards.
class Reflector {
 public:
  // Called on the loop: OK when the sink is as the server is, first after the first list, and again when it is kept up
  // to date after an error; an error when it could not be. It is tried again by itself, whatever the error.
  using OnState = std::function<void(const Status&)>;

  // `client` outlives it. Begins at once. `on_state` must not destroy it.
  Reflector(ApiClient& client, std::shared_ptr<ReflectorSink> sink, ReflectorOptions options, OnState on_state);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

 private:
  class State;
  std::shared_ptr<State> state_;  // shared with what is under way on worker threads
};

}  // namespace spanloom::kube
