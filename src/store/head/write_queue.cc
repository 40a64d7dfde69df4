// SPDX-License-Identifier: Apache-2.0

#include "store/head/write_queue.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::store::head {

class WriteQueue::QueueReservation final : public Reservation {
 public:
  QueueReservation(WriteQueue& queue, size_t bytes) : queue_(queue), bytes_(bytes) {}
  ~QueueReservation() override { queue_.Release(bytes_); }

  void Commit(otlp::Batch batch, AppendDone done) override {
    CHECK(!is_committed_);
    is_committed_ = true;
    // Some of the spans may have been dropped since, never added.
    const size_t used = std::min(bytes_, batch.wire_bytes());
    bytes_ -= used;
    queue_.Push(std::move(batch), std::move(done), used);
  }

 private:
  WriteQueue& queue_;
  size_t bytes_;  // still reserved
  bool is_committed_ = false;
};

WriteQueue::WriteQueue(Options options, Write write, Tick tick)
    : options_(std::move(options)), write_(std::move(write)), tick_(std::move(tick)), thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), "spanloom-store");
}

WriteQueue::~WriteQueue() {
  Stop();
}

StatusOr<std::unique_ptr<Reservation>> WriteQueue::Reserve(const otlp::Batch& batch) {
  const size_t bytes = batch.wire_bytes();
  if (bytes > options_.bytes_max) {
    return absl::ResourceExhaustedError(
        StrCat(options_.name, ": a batch of ", bytes, " bytes; at most ", options_.bytes_max, " can be taken at once"));
  }
  const MutexLock lock(mutex_);
  if (is_stopping_) return WithRetryDelay(absl::UnavailableError(StrCat(options_.name, ": stopping")), kRetryDelay);
  if (bytes > options_.bytes_max - bytes_) {
    return WithRetryDelay(absl::UnavailableError(StrCat(options_.name, ": ", bytes_, " of ", options_.bytes_max,
                                                        " bytes are waiting to be written; no room for ", bytes)),
                          kRetryDelay);
  }
  bytes_ += bytes;
  return std::make_unique<QueueReservation>(*this, bytes);
}

void WriteQueue::Release(size_t bytes) {
  if (bytes == 0) return;
  const MutexLock lock(mutex_);
  CHECK(bytes <= bytes_);
  bytes_ -= bytes;
}

void WriteQueue::Push(otlp::Batch batch, AppendDone done, size_t bytes) {
  {
    const MutexLock lock(mutex_);
    if (!is_stopping_) {
      items_.push_back({.batch = std::move(batch), .done = std::move(done), .bytes = bytes});
      return;
    }
    bytes_ -= bytes;
  }
  std::move(done)(WithRetryDelay(absl::UnavailableError(StrCat(options_.name, ": stopped")), kRetryDelay));
}

void WriteQueue::Stop() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
  }
  const MutexLock lock(stop_mutex_);
  if (thread_.joinable()) thread_.join();
}

void WriteQueue::SetTicking(bool is_ticking) {
  const MutexLock lock(mutex_);
  is_ticking_ = is_ticking;
}

size_t WriteQueue::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

bool WriteQueue::Take(std::deque<Item>& items) {
  const MutexLock lock(mutex_);
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_stopping_ || !items_.empty(); };
  if (is_ticking_) {
    mutex_.AwaitFor(has_work, kTick);
  } else {
    mutex_.Await([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return has_work() || is_ticking_; });
  }
  items.swap(items_);
  return !items.empty() || !is_stopping_;
}

void WriteQueue::WriteGroup(std::deque<Item>& items) {
  const size_t size = std::min(items.size(), options_.group_batches_max);
  std::vector<otlp::Batch> batches;
  batches.reserve(size);
  for (size_t i = 0; i < size; ++i) batches.push_back(std::move(items[i].batch));
  std::vector<Status> statuses = write_(batches);
  CHECK(statuses.size() == size);
  batches.clear();  // before their room is given back
  for (size_t i = 0; i < size; ++i) {
    Item item = std::move(items.front());
    items.pop_front();
    Release(item.bytes);
    std::move(item.done)(std::move(statuses[i]));
  }
}

void WriteQueue::Run() {
  std::deque<Item> items;
  while (Take(items)) {
    while (!items.empty()) WriteGroup(items);
    tick_();
  }
}

}  // namespace spanloom::store::head
