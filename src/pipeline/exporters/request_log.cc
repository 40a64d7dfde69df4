// SPDX-License-Identifier: Apache-2.0

#include "pipeline/exporters/request_log.h"

#include <bit>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using store::log::FrameKind;
using store::log::LogFrame;

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie on the disk");

constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;              // of a payload of kind 2
constexpr std::chrono::seconds kForgetDelay{1};  // until what waits no longer is written; guess

template <typename T>
void Put(T value, std::string& out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <typename T>
T Get(std::string_view bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

Bytes PayloadOf(const ExportRequest& request, const RequestForm& form) {
  std::string payload;
  payload.reserve(kHeaderBytes + request.message.size());
  Put(kVersion, payload);
  Put(static_cast<uint8_t>(form.signal), payload);
  Put(static_cast<uint8_t>(form.encoding), payload);
  Put(static_cast<uint8_t>(form.compression), payload);
  Put(static_cast<uint32_t>(request.spans), payload);
  Put(static_cast<uint64_t>(request.encoded_bytes), payload);
  request.message.AppendTo(payload);
  return Bytes(std::move(payload));
}

// The request of a payload, its message left out; nullopt if it is of a newer version, or too short.
std::optional<LoggedRequest> HeaderOf(const LogFrame& frame) {
  const std::string_view bytes = frame.payload.view();
  if (bytes.size() < kHeaderBytes || Get<uint8_t>(bytes, 0) != kVersion) return std::nullopt;
  LoggedRequest logged{.sequence = frame.sequence, .request = {}, .form = {}};
  logged.form = {.signal = static_cast<otlp::Signal>(Get<uint8_t>(bytes, 1)),
                 .encoding = static_cast<RequestEncoding>(Get<uint8_t>(bytes, 2)),
                 .compression = static_cast<net::Compression>(Get<uint8_t>(bytes, 3))};
  logged.request = {.message = {}, .spans = Get<uint32_t>(bytes, 4), .encoded_bytes = Get<uint64_t>(bytes, 8)};
  return logged;
}

std::optional<LoggedRequest> RequestOf(const LogFrame& frame) {
  std::optional<LoggedRequest> logged = HeaderOf(frame);
  if (logged) logged->request.message = ByteChain(Bytes::CopyOf(frame.payload.view().substr(kHeaderBytes)));
  return logged;
}

std::vector<uint64_t> SequencesOf(std::string_view payload) {
  std::vector<uint64_t> sequences;
  for (size_t at = 0; at + sizeof(uint64_t) <= payload.size(); at += sizeof(uint64_t)) {
    sequences.push_back(Get<uint64_t>(payload, at));
  }
  return sequences;
}

// Reads what waits at the start of a process.
class Recovery {
 public:
  Status Take(const LogFrame& frame) {
    if (frame.kind == FrameKind::kDelivered) {
      for (const uint64_t sequence : SequencesOf(frame.payload.view())) waiting_.erase(sequence);
      return absl::OkStatus();
    }
    const std::optional<LoggedRequest> logged = HeaderOf(frame);
    if (!logged) return absl::FailedPreconditionError("a queued request was written by a newer version");
    waiting_[frame.sequence] = {.sequence = frame.sequence,
                                .spans = logged->request.spans,
                                .encoded_bytes = logged->request.encoded_bytes,
                                .message_bytes = frame.payload.size() - kHeaderBytes};
    return absl::OkStatus();
  }

  [[nodiscard]] std::vector<RequestLog::Waiting> waiting() const {
    std::vector<RequestLog::Waiting> waiting;
    for (const auto& [sequence, each] : waiting_) waiting.push_back(each);
    return waiting;
  }

 private:
  std::map<uint64_t, RequestLog::Waiting> waiting_;
};

// What was not forced may have been answered OK all the same, unless the queue forces.
uint64_t LostRequests(const store::log::RecoveryReport& report, bool forces) {
  uint64_t requests = forces ? 0 : report.tail_frames;
  for (const store::log::LostFrames& lost : report.lost) requests += lost.last_sequence - lost.first_sequence + 1;
  return requests;
}

void LogDamages(const std::string& directory, const store::log::RecoveryReport& report, bool forces) {
  if (report.tail_bytes > 0 && !forces) {
    Log(LogLevel::kError, "the end of a sending queue's file can't be read",
        {{"directory", directory},
         {"unread_bytes", report.tail_bytes},
         {"requests_at_most", report.tail_frames},
         {"advice",
          "a kill cuts off what nobody was told OK for; a loss of power, or a failing disk, more: see fsync"}});
  }
  for (const store::log::LogDamage& damage : report.damaged) {
    Log(LogLevel::kError, "a file of a sending queue is damaged",
        {{"file", damage.file},
         {"kept_as", damage.kept_as},
         {"why", damage.why},
         {"offset", damage.offset_bytes},
         {"unread_bytes", damage.unread_bytes}});
  }
  for (const store::log::LostFrames& lost : report.lost) {
    Log(LogLevel::kError, "queued requests can't be read any more",
        {{"directory", directory}, {"at_most", lost.last_sequence - lost.first_sequence + 1}});
  }
}

}  // namespace

StatusOr<std::shared_ptr<RequestLog>> RequestLog::Open(std::shared_ptr<store::disk::Disk> disk,
                                                       const std::string& directory, const Options& options) {
  RETURN_IF_ERROR(disk->CreateDirectory(directory));
  RETURN_IF_ERROR(disk->SyncDirectory(store::disk::DirectoryOf(directory)));
  // What was before the first file has been removed.
  ASSIGN_OR_RETURN(const store::log::LogFiles files, store::log::LogFiles::Open(*disk, directory));
  const uint64_t removed = files.entries().empty() ? 0 : files.entries().front().first_sequence - 1;
  Recovery recovery;
  ASSIGN_OR_RETURN(const store::log::RecoveryReport report,
                   store::log::RecoverLog(*disk, directory, store::disk::Join(directory, "damaged"), removed,
                                          [&](const LogFrame& frame) { return recovery.Take(frame); }));
  LogDamages(directory, report, options.forces);
  std::shared_ptr<RequestLog> log(new RequestLog(std::move(disk), directory, report.end, options));
  log->found_ = recovery.waiting();
  log->lost_requests_ = LostRequests(report, options.forces);
  {
    const MutexLock lock(log->mutex_);
    for (const Waiting& waiting : log->found_) log->waiting_.insert(waiting.sequence);
  }
  log->thread_ = std::thread([raw = log.get()] { raw->Run(); });
  return log;
}

RequestLog::RequestLog(std::shared_ptr<store::disk::Disk> disk, std::string directory, store::log::LogEnd end,
                       const Options& options)
    : disk_(std::move(disk)),
      directory_(std::move(directory)),
      options_(options),
      writer_(*disk_, directory_, end, {.file_bytes_max = options.file_bytes_max}) {}

RequestLog::~RequestLog() {
  Close();
}

void RequestLog::Close() {
  {
    const MutexLock lock(mutex_);
    is_closing_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void RequestLog::Append(std::vector<ExportRequest> requests, const RequestForm& form, Written written) {
  Pending pending{{}, std::move(written)};
  for (const ExportRequest& request : requests) pending.payloads.push_back(PayloadOf(request, form));
  const MutexLock lock(mutex_);
  pending_.push_back(std::move(pending));
}

void RequestLog::Forget(std::span<const uint64_t> sequences) {
  const MutexLock lock(mutex_);
  for (const uint64_t sequence : sequences) {
    if (waiting_.erase(sequence) > 0) forgotten_.push_back(sequence);
  }
}

void RequestLog::Run() {
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !pending_.empty() || is_closing_; };
  bool closing = false;
  auto last_trim = std::chrono::steady_clock::now();
  while (!closing) {
    std::vector<Pending> pending;
    std::vector<uint64_t> forgotten;
    {
      const MutexLock lock(mutex_);
      mutex_.AwaitFor(has_work, kForgetDelay);
      pending.swap(pending_);
      forgotten.swap(forgotten_);
      closing = is_closing_;
    }
    Write(std::move(pending), forgotten);
    // A file costs more than what it would give back at once.
    const auto now = std::chrono::steady_clock::now();
    if (!closing && now - last_trim < kForgetDelay) continue;
    Trim();
    last_trim = now;
  }
}

void RequestLog::Write(std::vector<Pending> pending, const std::vector<uint64_t>& forgotten) {
  if (!forgotten.empty()) WriteForgotten(forgotten);
  if (pending.empty()) return;
  std::vector<std::vector<uint64_t>> sequences(pending.size());
  const Status status = WriteAll(pending, sequences);
  if (!status.ok()) LogRefusal(status, pending.size());
  for (size_t i = 0; i < pending.size(); ++i) {
    if (!status.ok()) {
      std::move(pending[i].written)(status);
      continue;
    }
    {
      const MutexLock lock(mutex_);
      waiting_.insert(sequences[i].begin(), sequences[i].end());
    }
    std::move(pending[i].written)(std::move(sequences[i]));
  }
}

// All or none: an error that some did not meet would leave them written and refused.
Status RequestLog::WriteAll(std::vector<Pending>& pending, std::vector<std::vector<uint64_t>>& sequences) {
  std::vector<Bytes> payloads;
  for (const Pending& each : pending) payloads.insert(payloads.end(), each.payloads.begin(), each.payloads.end());
  ASSIGN_OR_RETURN(const store::log::SequenceRange range, writer_.Append(FrameKind::kQueued, payloads));
  if (options_.forces) RETURN_IF_ERROR(writer_.Sync());
  uint64_t next = range.first;
  for (size_t i = 0; i < pending.size(); ++i) {
    for (size_t payload = 0; payload < pending[i].payloads.size(); ++payload) sequences[i].push_back(next++);
  }
  return absl::OkStatus();
}

// What could not be written is sent again after a restart, which senders of OTLP may do at any time.
void RequestLog::WriteForgotten(const std::vector<uint64_t>& forgotten) {
  std::string payload;
  for (const uint64_t sequence : forgotten) Put(sequence, payload);
  const Bytes bytes(std::move(payload));
  const auto range = writer_.Append(FrameKind::kDelivered, std::span(&bytes, 1));
  if (range.ok()) return;
  const auto requests = forgotten_log_.Admit(forgotten.size());
  if (!requests) return;
  Log(LogLevel::kWarn, "what a sending queue has delivered can't be written down: after a crash it is sent again",
      {{"directory", directory_}, {"requests", *requests}, {"error", StdView(range.status().message())}});
}

void RequestLog::LogRefusal(const Status& why, size_t requests) {
  const auto logged_requests = refused_log_.Admit(requests);
  if (!logged_requests) return;
  Log(LogLevel::kError, "requests can't be written to their queue: their senders are told to send them again",
      {{"directory", directory_},
       {"requests", *logged_requests},
       {"error", StdView(why.message())},
       {"advice", "make room on its file system, or see why it takes no writes"}});
}

void RequestLog::Trim() {
  uint64_t end = writer_.last_sequence();
  {
    const MutexLock lock(mutex_);
    if (!waiting_.empty()) end = *waiting_.begin() - 1;
  }
  const Status status = writer_.TrimTo(end);
  if (status.ok() || !trim_log_.Admit(1)) return;
  Log(LogLevel::kWarn, "files of a sending queue that are not needed any more can't be removed",
      {{"directory", directory_}, {"error", StdView(status.message())}});
}

StatusOr<std::vector<LoggedRequest>> RequestLog::Read(uint64_t first, size_t bytes_max) const {
  std::set<uint64_t> wanted;
  {
    const MutexLock lock(mutex_);
    wanted.insert(waiting_.lower_bound(first), waiting_.end());
  }
  std::vector<LoggedRequest> read;
  size_t bytes = 0;
  if (wanted.empty()) return read;
  ASSIGN_OR_RETURN(const store::log::LogFiles files, store::log::LogFiles::Open(*disk_, directory_));
  const auto report = files.Read(first - 1, [&](const LogFrame& frame) -> Status {
    if (frame.kind != FrameKind::kQueued || !wanted.contains(frame.sequence)) return absl::OkStatus();
    if (!read.empty() && bytes + frame.payload.size() > bytes_max) return absl::CancelledError("enough");
    std::optional<LoggedRequest> logged = RequestOf(frame);
    if (!logged) return absl::DataLossError("a queued request is too short");
    bytes += frame.payload.size();
    read.push_back(*std::move(logged));
    return absl::OkStatus();
  });
  if (!report.ok() && !absl::IsCancelled(report.status())) return report.status();
  return read;
}

}  // namespace spanloom::pipeline
