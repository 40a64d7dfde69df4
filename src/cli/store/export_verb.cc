// SPDX-License-Identifier: Apache-2.0

#include "cli/store/export_verb.h"

#include <absl/functional/function_ref.h>

#include <limits>
#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/console/text_format.h"
#include "cli/store/count_progress.h"
#include "cli/store/request_packer.h"
#include "store/atomic_file.h"
#include "store/columnar/inspect/store_reading.h"
#include "store/disk/posix_disk.h"

namespace spanloom::cli::store {
namespace {

using spanloom::store::AtomicFile;
using spanloom::store::Condition;
using spanloom::store::FetchPlan;
using spanloom::store::Field;
using spanloom::store::Intrinsic;
using spanloom::store::Predicate;
using spanloom::store::SpanBatch;
using spanloom::store::SpanCursor;
using spanloom::store::StoredSpan;
using spanloom::store::TraceRows;
using spanloom::store::Value;
using spanloom::store::columnar::StoreFiles;
using spanloom::store::columnar::StoreReading;

FetchPlan PlanOf(const ExportOptions& options, const Terminal& terminal) {
  FetchPlan plan;
  if (options.service) {
    plan.spansets = {
        Predicate(Condition{.field = Field::Of(Intrinsic::kService), .operand = Value::String(*options.service)})};
  }
  plan.starts = options.starts;
  plan.traces = options.traces;
  plan.rows = FetchPlan::Rows::kWholeTrace;
  plan.wants_messages = true;
  plan.order = FetchPlan::Order::kAsStored;
  plan.traces_max = std::numeric_limits<size_t>::max();
  plan.limits.stop = terminal.stop;
  plan.limits.bytes_max = std::numeric_limits<size_t>::max();  // a trace is exported, however large it is
  return plan;
}

// At most so many spans come.
uint64_t SpansToExpect(const StoreReading& reading, const ExportOptions& options) {
  const auto parts = reading.parts();
  uint64_t spans = 0;
  for (const auto& segment : parts.segments) {
    const auto& row = segment->row();
    if (options.starts.Overlaps(row.first_start_unix_ns, row.last_start_unix_ns)) spans += row.spans;
  }
  const MutexLock lock(parts.filling->mutex);
  return spans + parts.filling->table.spans();
}

using Write = absl::FunctionRef<Status(std::string_view text)>;

// One export under way.
class Export {
 public:
  Export(OtlpFormat format, Write write, CountProgress& progress)
      : format_(format), write_(write), progress_(progress) {}

  Status Run(SpanCursor& cursor) {
    while (true) {
      ASSIGN_OR_RETURN(const std::optional<SpanBatch> batch, cursor.Next());
      if (!batch) break;
      for (const TraceRows& trace : batch->traces) RETURN_IF_ERROR(AddTrace(*batch, trace));
      progress_.Add(batch->rows());
    }
    return packer_.Finish([&](std::string request) { return Emit(std::move(request)); });
  }

  [[nodiscard]] uint64_t traces() const { return traces_; }
  [[nodiscard]] uint64_t spans() const { return spans_; }

 private:
  Status AddTrace(const SpanBatch& batch, const TraceRows& trace) {
    const auto first = batch.messages.begin() + trace.first_row;
    ++traces_;
    spans_ += trace.row_count;
    return packer_.Add(std::vector<StoredSpan>(first, first + trace.row_count),
                       [&](std::string request) { return Emit(std::move(request)); });
  }

  Status Emit(std::string request) {
    ASSIGN_OR_RETURN(const std::string text, EncodeRequest(std::move(request), format_));
    return write_(text);
  }

  const OtlpFormat format_;
  const Write write_;
  CountProgress& progress_;
  RequestPacker packer_;
  uint64_t traces_ = 0;
  uint64_t spans_ = 0;
};

StatusOr<bool> ExportTo(Write write, const ExportOptions& options, const Terminal& terminal) {
  spanloom::store::disk::PosixDisk disk;
  ASSIGN_OR_RETURN(StoreFiles files, StoreFiles::Open(disk, options.directory, terminal.clock));
  ASSIGN_OR_RETURN(const std::unique_ptr<StoreReading> reading, StoreReading::Open(files, terminal.clock));
  ASSIGN_OR_RETURN(const std::unique_ptr<SpanCursor> cursor, reading->queries().Fetch(PlanOf(options, terminal)));
  std::optional<CountProgress> progress(std::in_place, "spans", SpansToExpect(*reading, options), terminal);
  Export run(options.format, write, *progress);
  const Status status = run.Run(*cursor);
  progress.reset();
  RETURN_IF_ERROR(status);
  for (const std::string& damage : reading->damage()) terminal.err << "left out: " << damage << "\n";
  const uint64_t damaged_parts = cursor->stats().damaged_parts;
  if (damaged_parts > 0) terminal.err << damaged_parts << " traces or pages could not be read; see store check\n";
  terminal.err << console::CountOf(run.spans(), "span") << " of " << console::CountOf(run.traces(), "trace")
               << " exported\n";
  return reading->damage().empty() && damaged_parts == 0;
}

}  // namespace

StatusOr<bool> RunExport(const ExportOptions& options, const Terminal& terminal) {
  if (options.file == "-") {
    return ExportTo(
        [&](std::string_view text) {
          terminal.out << text << std::flush;
          return terminal.out.good() ? absl::OkStatus() : absl::UnavailableError("the output is closed, or full");
        },
        options, terminal);
  }
  ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(options.file));
  const auto write = [&](std::string_view text) { return file.Append(text); };
  ASSIGN_OR_RETURN(const bool is_complete, ExportTo(write, options, terminal));
  RETURN_IF_ERROR(std::move(file).Commit());
  return is_complete;
}

}  // namespace spanloom::cli::store
