// SPDX-License-Identifier: Apache-2.0
//
// The requests of a sending queue on the disk, from their acceptance to their end: docs/formats/queue.md.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/functional/any_invocable.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/log_limiter.h"
#include "store/disk/disk.h"
#include "store/log/log_reader.h"
#include "store/log/log_writer.h"

namespace spanloom::pipeline {

// A request and the way in which it was made.
struct LoggedRequest {
  uint64_t sequence = 0;
  ExportRequest request;
  RequestForm form;
};

// Thread-safe. Writes on a thread of its own, for all who wait at once. What is waiting for it is bounded by its
// callers.
class RequestLog {
 public:
  // [requests]: their sequences, ascending, once all are written (and forced, if told so); or why none is. On the log's
  // thread.
  using Written = absl::AnyInvocable<void(StatusOr<std::vector<uint64_t>>)>;

  struct Options {
    bool forces = false;  // to the device, before Written
    uint64_t file_bytes_max = 16 << 20;
  };

  // Opens the log in `directory`, whose parent must exist, and reads what waits in it. Blocks.
  // Errors: those of the disk; kFailedPrecondition for a log of a newer version.
  static StatusOr<std::shared_ptr<RequestLog>> Open(std::shared_ptr<store::disk::Disk> disk,
                                                    const std::string& directory, const Options& options);
  ~RequestLog();
  // Writes what waits, and calls all of Written. Nothing may be appended afterwards; it can still be read. Once is
  // enough.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // What waited at the opening, without the messages. Bytes that could not be read are named in the process log.
  struct Waiting {
    uint64_t sequence = 0;
    size_t spans = 0;
    size_t encoded_bytes = 0;
    size_t message_bytes = 0;
  };
  [[nodiscard]] const std::vector<Waiting>& found() const { return found_; }
  // Of `found`, what can't be read any more: at most so many requests are lost.
  [[nodiscard]] uint64_t lost_requests() const { return lost_requests_; }

  // `form` is that of all of them.
  void Append(std::vector<ExportRequest> requests, const RequestForm& form, Written written)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // They wait no longer. Their bytes go when those before them do.
  void Forget(std::span<const uint64_t> sequences) ABSL_LOCKS_EXCLUDED(mutex_);

  // The requests that wait with a sequence of at least `first`, in order, until their messages have `bytes_max`; at
  // least one, if there is one. Blocks. Errors: those of the disk; kDataLoss if a file is damaged.
  StatusOr<std::vector<LoggedRequest>> Read(uint64_t first, size_t bytes_max) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Pending {
    std::vector<Bytes> payloads;
    Written written;
  };

  RequestLog(std::shared_ptr<store::disk::Disk> disk, std::string directory, store::log::LogEnd end,
             const Options& options);
  void Run();
  void Write(std::vector<Pending> pending, const std::vector<uint64_t>& forgotten);
  Status WriteAll(std::vector<Pending>& pending, std::vector<std::vector<uint64_t>>& sequences);
  void WriteForgotten(const std::vector<uint64_t>& forgotten);
  void Trim() ABSL_LOCKS_EXCLUDED(mutex_);
  // One line in ten seconds of each kind.
  void LogRefusal(const Status& why, size_t requests);

  const std::shared_ptr<store::disk::Disk> disk_;  // shared with the storage extension
  const std::string directory_;
  const Options options_;
  std::vector<Waiting> found_;  // set by Open
  uint64_t lost_requests_ = 0;
  store::log::LogWriter writer_;  // of the thread
  LogLimiter refused_log_{Clock::System()};
  LogLimiter forgotten_log_{Clock::System()};
  LogLimiter trim_log_{Clock::System()};

  mutable Mutex mutex_;
  std::vector<Pending> pending_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> forgotten_ ABSL_GUARDED_BY(mutex_);
  std::set<uint64_t> waiting_ ABSL_GUARDED_BY(mutex_);  // sequences on the disk that are not forgotten
  bool is_closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace spanloom::pipeline
