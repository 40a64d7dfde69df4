// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/pool_allow_list.h"

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "base/text.h"
#include "kube/api_client.h"
#include "kube/inference_pool.h"
#include "kube/mirror.h"
#include "kube/object.h"
#include "kube/reflector.h"
#include "net/loop_call.h"

namespace spanloom::llmd::routing_proxy {
namespace {

// Hosts of the pods of one selector, as a reflector brings them. Thread-safe.
class Pods final : public kube::ReflectorSink {
 public:
  void BeginList() override { listed_.clear(); }

  void AddListed(std::span<const simdjson::dom::element> objects) override {
    const MutexLock lock(mutex_);
    for (const simdjson::dom::element& object : objects) listed_.insert(Put(object));
  }

  void EndList() override {
    const MutexLock lock(mutex_);
    absl::erase_if(hosts_by_uid_, [this](const auto& entry) { return !listed_.contains(entry.first); });
    is_known_ = true;
    CountHosts();
  }

  void Apply(Change change, const simdjson::dom::element& object) override {
    const MutexLock lock(mutex_);
    const std::string uid = Put(object);
    if (change == Change::kDeleted) hosts_by_uid_.erase(uid);
    CountHosts();
  }

  [[nodiscard]] bool Has(std::string_view host) const ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return hosts_.contains(AbslView(host));
  }
  [[nodiscard]] bool is_known() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return is_known_;
  }

 private:
  std::string Put(const simdjson::dom::element& object) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const kube::Pod pod = kube::ReadPod(object);
    std::vector<std::string> hosts;
    for (const std::string_view ip : pod.ips) hosts.emplace_back(ip);
    if (!hosts.empty()) hosts.emplace_back(pod.meta.name);  // before that it can't be reached
    std::string uid(pod.meta.uid.empty() ? pod.meta.name : pod.meta.uid);
    hosts_by_uid_.insert_or_assign(uid, std::move(hosts));
    return uid;
  }

  void CountHosts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    hosts_.clear();
    for (const auto& [uid, hosts] : hosts_by_uid_) hosts_.insert(hosts.begin(), hosts.end());
  }

  absl::flat_hash_set<std::string> listed_;  // uids of the list under way; of the reflector
  mutable Mutex mutex_;
  absl::flat_hash_map<std::string, std::vector<std::string>> hosts_by_uid_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> hosts_ ABSL_GUARDED_BY(mutex_);
  bool is_known_ ABSL_GUARDED_BY(mutex_) = false;
};

// The label selector of a pool, for kube::Mirror.
std::optional<kube::Mirror<std::string>::Decoded> DecodePool(const simdjson::dom::element& object) {
  const kube::InferencePool pool = kube::ReadInferencePool(object);
  return kube::Mirror<std::string>::Decoded{.key = std::string(pool.meta.name),
                                            .object = kube::LabelSelectorOf(pool.selector)};
}

}  // namespace

// Watches the pool, and the pods that it selects. Sequence-bound to its loop, but for what is guarded.
class PoolAllowList::Watch : public std::enable_shared_from_this<Watch> {
 public:
  Watch(PoolName pool, net::LoopPool& loops, const Clock& clock)
      : pool_(std::move(pool)), loops_(loops), loop_(loops.Next()), clock_(clock) {}

  Status Start(kube::ClusterAccess access) {
    Status status;
    RunOn(loop_, [&] {
      auto client = kube::ApiClient::Create(loops_, loop_, clock_, std::move(access));
      status = client.status();
      if (!client.ok()) return;
      client_ = *std::move(client);
      WatchPool();
    });
    return status;
  }

  void Stop() {
    RunOn(loop_, [this] {
      pod_reflector_.reset();
      pool_reflector_.reset();
      client_.reset();
    });
  }

  [[nodiscard]] bool Has(std::string_view host) const {
    const std::shared_ptr<Pods> pods = Current();
    return pods != nullptr && pods->Has(host);
  }

  // False if the pods are not known when that is over.
  bool AwaitPods(std::chrono::milliseconds wait_max) const {
    const MutexLock lock(mutex_);
    return mutex_.AwaitFor([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_settled_; }, wait_max);
  }

 private:
  [[nodiscard]] std::shared_ptr<Pods> Current() const ABSL_LOCKS_EXCLUDED(mutex_) {
    const MutexLock lock(mutex_);
    return pods_;
  }

  void WatchPool() {
    const bool is_old = pool_.group == kube::kOldInferencePools.group;
    auto mirror = std::make_shared<kube::Mirror<std::string>>(
        DecodePool,
        [weak = weak_from_this(), &loop = loop_](std::span<const kube::Mirror<std::string>::Difference> all) {
          const auto& after = all.back().after;
          loop.Post([weak, selector = after == nullptr ? std::string() : *after] {
            if (const auto self = weak.lock()) self->Select(selector);
          });
        });
    kube::ReflectorOptions options{.resource = is_old ? kube::kOldInferencePools : kube::kInferencePools};
    options.selection = {.name_space = pool_.name_space, .field_selector = StrCat("metadata.name=", pool_.name)};
    pool_reflector_ =
        std::make_unique<kube::Reflector>(*client_, std::move(mirror), std::move(options),
                                          [this](const Status& status) { Tell("InferencePool", status); });
  }

  // Goes over to the pods with these labels; none if there are no labels, since that would be all.
  void Select(const std::string& selector) {
    if (client_ == nullptr) return;
    pod_reflector_.reset();
    auto pods = std::make_shared<Pods>();
    {
      const MutexLock lock(mutex_);
      pods_ = pods;
    }
    Log(LogLevel::kInfo, "prefill pods are those of the InferencePool",
        {{"namespace", pool_.name_space}, {"pool", pool_.name}, {"selector", selector}});
    if (selector.empty()) return;
    kube::ReflectorOptions options{.resource = kube::kPods};
    options.selection = {.name_space = pool_.name_space, .label_selector = selector};
    pod_reflector_ =
        std::make_unique<kube::Reflector>(*client_, std::move(pods), std::move(options), [this](const Status& status) {
          Tell("pods", status);
          if (status.ok()) Settle();
        });
  }

  void Settle() {
    const MutexLock lock(mutex_);
    is_settled_ = true;
  }

  void Tell(std::string_view what, const Status& status) const {
    if (status.ok()) return;
    Log(LogLevel::kWarn,
        StrCat("cannot watch the ", what, " that may be asked for prefill: ", StdView(status.message())),
        {{"namespace", pool_.name_space}, {"pool", pool_.name}});
  }

  const PoolName pool_;
  net::LoopPool& loops_;
  net::Loop& loop_;
  const Clock& clock_;
  std::unique_ptr<kube::ApiClient> client_;
  std::unique_ptr<kube::Reflector> pool_reflector_;
  std::unique_ptr<kube::Reflector> pod_reflector_;  // null until the pool is known
  mutable Mutex mutex_;
  std::shared_ptr<Pods> pods_ ABSL_GUARDED_BY(mutex_);  // shared with the reflector
  bool is_settled_ ABSL_GUARDED_BY(mutex_) = false;     // the pods were known once
};

PoolAllowList::PoolAllowList(std::vector<std::string> hosts) : hosts_(std::move(hosts)) {}

StatusOr<std::unique_ptr<PoolAllowList>> PoolAllowList::Create(std::vector<std::string> hosts,
                                                               std::optional<PoolName> pool,
                                                               std::optional<kube::ClusterAccess> access,
                                                               net::LoopPool& loops, const Clock& clock,
                                                               std::chrono::milliseconds wait_max) {
  std::sort(hosts.begin(), hosts.end());
  std::unique_ptr<PoolAllowList> list(new PoolAllowList(std::move(hosts)));
  if (!pool.has_value() || !access.has_value()) return list;
  list->watch_ = std::make_shared<Watch>(*std::move(pool), loops, clock);
  RETURN_IF_ERROR(list->watch_->Start(*std::move(access)));
  if (!list->watch_->AwaitPods(wait_max)) {
    Log(LogLevel::kWarn, "the pods that may be asked for prefill are not known yet; until they are, none is");
  }
  return list;
}

PoolAllowList::~PoolAllowList() {
  if (watch_ != nullptr) watch_->Stop();
}

bool PoolAllowList::Allows(std::string_view host) const {
  if (std::binary_search(hosts_.begin(), hosts_.end(), host)) return true;
  return watch_ != nullptr && watch_->Has(host);
}

}  // namespace spanloom::llmd::routing_proxy
