// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/kv_event_publisher.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace spanloom::llmd::simulator {
namespace {

constexpr size_t kSequenceBytes = 8;
const std::string kReplayEnd(kSequenceBytes, '\xff');  // -1

std::string BigEndian(uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}

uint64_t FromBigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

}  // namespace

KvEventPublisher::KvEventPublisher(const KvEventOptions& options, const Clock& clock, MetricRegistry& metrics)
    : options_(options),
      clock_(clock),
      published_(metrics.GetCounter("spanloom_kv_events_published", "Events of the KV cache that were published.")),
      dropped_(metrics.GetCounter("spanloom_kv_events_dropped", "Events of the KV cache that found the queue full.")) {}

Status KvEventPublisher::Open() {
  ASSIGN_OR_RETURN(context_, wire::ZeroMqContext::Create());
  ASSIGN_OR_RETURN(publisher_, context_->Make(wire::ZeroMqKind::kPublisher, options_.send_queue_max));
  RETURN_IF_ERROR(publisher_->Open(options_.endpoint));
  endpoint_ = publisher_->endpoint();
  if (options_.replay_endpoint.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(replays_, context_->Make(wire::ZeroMqKind::kRouter, options_.send_queue_max));
  RETURN_IF_ERROR(replays_->Open(options_.replay_endpoint));
  replay_endpoint_ = replays_->endpoint();
  return absl::OkStatus();
}

StatusOr<std::unique_ptr<KvEventPublisher>> KvEventPublisher::Create(const KvEventOptions& options, const Clock& clock,
                                                                     MetricRegistry& metrics) {
  std::unique_ptr<KvEventPublisher> publisher(new KvEventPublisher(options, clock, metrics));
  RETURN_IF_ERROR(publisher->Open());
  publisher->wake_file_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (publisher->wake_file_ < 0)
    return absl::ResourceExhaustedError(
        "no file is left to wake the publisher of KV events; raise the limit of open files");
  publisher->thread_ = std::thread([self = publisher.get()] { self->Run(); });
  return publisher;
}

KvEventPublisher::~KvEventPublisher() {
  if (thread_.joinable()) {
    {
      const MutexLock lock(mutex_);
      is_ending_ = true;
    }
    Wake();
    thread_.join();
  }
  if (wake_file_ >= 0) close(wake_file_);
}

void KvEventPublisher::Wake() const {
  const uint64_t one = 1;
  CHECK(write(wake_file_, &one, sizeof(one)) == sizeof(one));
}

void KvEventPublisher::Take(wire::KvEvent event) {
  size_t waiting = 0;
  {
    const MutexLock lock(mutex_);
    if (waiting_.size() >= options_.waiting_events_max) return dropped_.Add(1);
    if (waiting_.empty()) oldest_ns_ = clock_.SteadyNs();
    waiting_.push_back(std::move(event));
    waiting = waiting_.size();
  }
  // The first one starts the delay; a full batch ends it.
  if (waiting == 1 || waiting == options_.batch_events) Wake();
}

// A batch that is full, or has waited for long enough; empty if there is none.
std::vector<wire::KvEvent> KvEventPublisher::TakeBatch(int64_t now_ns, bool is_last) {
  const MutexLock lock(mutex_);
  const bool is_late = now_ns - oldest_ns_ >= std::chrono::nanoseconds(options_.batch_delay_max).count();
  if (waiting_.empty() || (waiting_.size() < options_.batch_events && !is_late && !is_last)) return {};
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(waiting_.size(), options_.batch_events));
  std::vector<wire::KvEvent> batch(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  oldest_ns_ = now_ns;
  return batch;
}

long KvEventPublisher::WaitMs(int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (is_ending_) return 0;
  if (waiting_.empty()) return -1;
  const int64_t left_ns = oldest_ns_ + std::chrono::nanoseconds(options_.batch_delay_max).count() - now_ns;
  return static_cast<long>(std::max<int64_t>(left_ns, 0) / 1'000'000 + 1);
}

void KvEventPublisher::Run() {
  while (true) {
    wire::ZeroMqContext::Wait(replays_.get(), wake_file_, WaitMs(clock_.SteadyNs()));
    uint64_t count = 0;
    // Empty if it was not woken by this.
    [[maybe_unused]] const ssize_t size = read(wake_file_, &count, sizeof(count));
    bool is_last = false;
    {
      const MutexLock lock(mutex_);
      is_last = is_ending_;
    }
    while (true) {
      const std::vector<wire::KvEvent> batch = TakeBatch(clock_.SteadyNs(), is_last);
      if (batch.empty()) break;
      Publish(batch);
    }
    if (replays_ != nullptr) AnswerReplays();
    if (is_last) return;
  }
}

void KvEventPublisher::Publish(const std::vector<wire::KvEvent>& events) {
  const uint64_t sequence = next_sequence_++;
  std::string batch =
      wire::EncodeKvEvents(events, static_cast<double>(clock_.UnixNs()) / 1e9, options_.rank, options_.form);
  publisher_->Send({options_.topic, BigEndian(sequence), batch});
  published_.Add(events.size());
  if (replays_ == nullptr) return;
  kept_.emplace_back(sequence, std::move(batch));
  if (kept_.size() > options_.kept_batches) kept_.pop_front();
}

// A request has the peer's name, which the socket puts in front, an empty part, and the first number that is wanted.
void KvEventPublisher::AnswerReplays() {
  while (const auto request = replays_->Receive()) {
    if (request->size() == 3 && request->back().size() == kSequenceBytes)
      Replay(request->front(), FromBigEndian(request->back()));
  }
}

// vLLM's answers have had the topic since the events were maps.
void KvEventPublisher::Replay(const std::string& peer, uint64_t first) {
  const bool has_topic = options_.form == wire::KvEventForm::kMap;
  const auto send = [&](std::string_view sequence, std::string_view batch) {
    has_topic ? replays_->Send({peer, "", options_.topic, sequence, batch})
              : replays_->Send({peer, "", sequence, batch});
  };
  for (const auto& [sequence, batch] : kept_) {
    if (sequence >= first) send(BigEndian(sequence), batch);
  }
  send(kReplayEnd, "");
}

}  // namespace spanloom::llmd::simulator
