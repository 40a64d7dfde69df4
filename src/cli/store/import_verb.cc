// SPDX-License-Identifier: Apache-2.0

#include "cli/store/import_verb.h"

#include <absl/functional/function_ref.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/count_progress.h"
#include "cli/store/otlp_file.h"
#include "cli/store/own_store.h"
#include "store/atomic_file.h"

namespace spanloom::cli::store {
namespace {

constexpr size_t kUnansweredMax = 64;  // requests; enough for the log to be forced to the disk for many at once. Guess
constexpr std::chrono::milliseconds kAgainAfter{100};  // where a store that has no room says nothing else

// Requests on their way into a store.
class Appends {
 public:
  explicit Appends(spanloom::store::SpanStore& store) : store_(store) {}

  // Waits for room, of the store or among the unanswered. Errors of the store that are final are kept: refusals().
  void Append(otlp::Batch batch, std::string place) {
    spans_ += batch.span_count();
    while (true) {
      WaitUntil(kUnansweredMax - 1);
      auto reservation = store_.Reserve(batch);
      if (reservation.ok()) {
        Commit(**reservation, std::move(batch), std::move(place));
        return;
      }
      if (!absl::IsUnavailable(reservation.status())) return Refuse(place, reservation.status());
      std::this_thread::sleep_for(RetryDelay(reservation.status()).value_or(kAgainAfter));
    }
  }

  // Waits for the answers.
  void Finish() { WaitUntil(0); }

  [[nodiscard]] uint64_t spans() const { return spans_; }
  // Place and reason.
  [[nodiscard]] std::vector<std::string> refusals() const {
    const MutexLock lock(mutex_);
    return refusals_;
  }
  void Refuse(std::string_view place, const Status& why) {
    const MutexLock lock(mutex_);
    refusals_.push_back(place.empty() ? std::string(why.message()) : StrCat(place, ": ", why.message()));
  }

 private:
  void Commit(spanloom::store::Reservation& reservation, otlp::Batch batch, std::string place) {
    {
      const MutexLock lock(mutex_);
      ++unanswered_;
    }
    reservation.Commit(std::move(batch), [this, place = std::move(place)](const Status& status) {
      if (!status.ok()) Refuse(place, status);
      const MutexLock lock(mutex_);
      --unanswered_;
    });
  }

  void WaitUntil(size_t unanswered_max) {
    const MutexLock lock(mutex_);
    mutex_.Await([&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return unanswered_ <= unanswered_max; });
  }

  spanloom::store::SpanStore& store_;
  uint64_t spans_ = 0;
  mutable Mutex mutex_;
  size_t unanswered_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> refusals_ ABSL_GUARDED_BY(mutex_);
};

Status ImportFrom(const std::string& name, std::istream& in, Appends& appends, CountProgress& progress,
                  const Terminal& terminal) {
  OtlpFileReader reader(name, in);
  uint64_t bytes = 0;
  for (uint64_t number = 1;; ++number) {
    if (terminal.stop.stop_requested()) return absl::CancelledError("interrupted; what was read is stored");
    StatusOr<std::optional<otlp::Slice>> slice = reader.Next();
    progress.Add(reader.bytes() - std::exchange(bytes, reader.bytes()));
    if (absl::IsInvalidArgument(slice.status())) {
      appends.Refuse("", slice.status());
      continue;
    }
    RETURN_IF_ERROR(slice.status());
    if (!*slice) return absl::OkStatus();
    appends.Append(otlp::Batch(**std::move(slice)), StrCat(name, ", request ", number));
  }
}

Status ImportFile(const std::string& name, Appends& appends, CountProgress& progress, const Terminal& terminal) {
  if (name == "-") return ImportFrom("standard input", terminal.in, appends, progress, terminal);
  std::ifstream file(name, std::ios::binary);
  if (!file) return spanloom::store::FileError("open", name, errno);
  return ImportFrom(name, file, appends, progress, terminal);
}

// Of the files that have a size.
uint64_t BytesOf(const std::vector<std::string>& files) {
  uint64_t bytes = 0;
  for (const std::string& file : files) {
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(file, error);
    if (!error) bytes += size;
  }
  return bytes;
}

Status ImportAll(const ImportOptions& options, Appends& appends, const Terminal& terminal) {
  CountProgress progress("bytes", BytesOf(options.files), terminal);
  Status status;
  for (const std::string& file : options.files) {
    if (status.ok()) status = ImportFile(file, appends, progress, terminal);
  }
  appends.Finish();
  return status;
}

}  // namespace

StatusOr<bool> RunImport(const ImportOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(const std::unique_ptr<OwnStore> own, OwnStore::Open(options.directory, terminal.clock));
  Appends appends(own->store());
  const Status imported = ImportAll(options, appends, terminal);
  RETURN_IF_ERROR(own->store().Flush());
  if (imported.ok()) RETURN_IF_ERROR(own->store().Compact());
  const uint64_t known = own->store().Stats().spans_duplicate;
  RETURN_IF_ERROR(own->store().Stop());
  const std::vector<std::string> refusals = appends.refusals();
  for (const std::string& refusal : refusals) terminal.err << "refused: " << refusal << "\n";
  terminal.out << console::CountOf(appends.spans(), "span") << " read, " << console::Grouped(known)
               << " of them known already, " << console::CountOf(refusals.size(), "request") << " refused\n";
  RETURN_IF_ERROR(imported);
  return refusals.empty();
}

}  // namespace spanloom::cli::store
