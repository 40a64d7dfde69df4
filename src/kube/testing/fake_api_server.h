// SPDX-License-Identifier: Apache-2.0
//
// For tests: an API server in this process, over real HTTP. It keeps objects, lists them in pages, streams what changes
// to watches, and does wrong what it is told to.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "kube/cluster_access.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/server.h"

namespace spanloom::kube {

// Thread-safe, but for Start and Stop. Selectors are not evaluated; queries() shows that they came.
class FakeApiServer {
 public:
  explicit FakeApiServer(net::LoopPool& loops);
  ~FakeApiServer();

  // Serves again on the port it had; the first time is the constructor's.
  void Start();
  // Closes the port and ends the watches.
  void Stop();

  [[nodiscard]] std::string endpoint() const { return endpoint_; }
  // Without a credential.
  [[nodiscard]] ClusterAccess Access() const { return {.endpoint = endpoint_, .tls = std::nullopt}; }
  // A kubeconfig that leads here.
  [[nodiscard]] std::string Kubeconfig() const;

  // Adds or replaces the object `name` of a collection such as "/api/v1/pods". `object` is its JSON, and has
  // "metadata":{...}, into which its version is written. In `name_space`, if that is not "".
  void Put(const std::string& collection, const std::string& name_space, const std::string& name,
           const std::string& object) ABSL_LOCKS_EXCLUDED(mutex_);
  void Delete(const std::string& collection, const std::string& name_space, const std::string& name)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // Requests without this authorization are answered 401 from now on.
  void DemandAuthorization(std::string header) ABSL_LOCKS_EXCLUDED(mutex_);
  // Requests for `collection` are answered like that, until Allow.
  void Refuse(const std::string& collection, int http_status, std::string body) ABSL_LOCKS_EXCLUDED(mutex_);
  void Allow(const std::string& collection) ABSL_LOCKS_EXCLUDED(mutex_);
  // Forgets what changed until now: older versions, and lists that have begun, are gone.
  void Compact() ABSL_LOCKS_EXCLUDED(mutex_);
  // Watches that begin from now on hear nothing.
  void HoldWatches(bool hold) ABSL_LOCKS_EXCLUDED(mutex_);

  // Sends `bytes` to the watches of `collection` as they are.
  void SendRaw(const std::string& collection, const std::string& bytes) ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends all watches, in the middle of nothing.
  void EndWatches() ABSL_LOCKS_EXCLUDED(mutex_);

  // Watches of `collection` that have begun since the start.
  [[nodiscard]] size_t watches(const std::string& collection) const ABSL_LOCKS_EXCLUDED(mutex_);
  // The queries of all requests for `collection` so far, and what they accept.
  [[nodiscard]] std::vector<std::string> queries(const std::string& collection) const ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] std::vector<std::string> accepts(const std::string& collection) const ABSL_LOCKS_EXCLUDED(mutex_);
  [[nodiscard]] uint64_t version() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Watcher;
  using Collection = std::map<std::string, std::string>;  // by "NAMESPACE/NAME"
  struct Event {
    uint64_t version;
    std::string collection;
    std::string name_space;
    std::string line;
  };
  // A collection, within a namespace or not.
  struct Place {
    std::string collection;
    std::string name_space;
  };

  static Place PlaceOf(const std::string& path);
  void Handle(net::HttpRequest request, net::HttpResponder responder) ABSL_LOCKS_EXCLUDED(mutex_);
  std::optional<net::HttpResponse> RefusalOf(const net::HttpRequest& request, const Place& place)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  net::HttpResponse List(const Place& place, const std::map<std::string, std::string>& parameters)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Watch(const Place& place, uint64_t version, net::HttpResponder responder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Announce(std::string_view type, const std::string& collection, const std::string& name_space,
                const std::string& object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  net::LoopPool& loops_;
  MetricRegistry metrics_;
  std::string endpoint_ = "127.0.0.1:0";
  std::unique_ptr<net::Server> server_;

  mutable Mutex mutex_;
  std::map<std::string, Collection> collections_ ABSL_GUARDED_BY(mutex_);
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t compacted_ ABSL_GUARDED_BY(mutex_) = 0;
  bool holds_watches_ ABSL_GUARDED_BY(mutex_) = false;
  std::string authorization_ ABSL_GUARDED_BY(mutex_);  // "": any
  std::map<std::string, std::pair<int, std::string>> refusals_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<Place, std::shared_ptr<Watcher>>> watchers_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, size_t> watch_counts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::pair<std::string, std::string>> queries_ ABSL_GUARDED_BY(mutex_);  // by collection
  std::vector<std::pair<std::string, std::string>> accepts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace spanloom::kube
