// SPDX-License-Identifier: Apache-2.0
//
// The debug exporter: writes what arrives to the log of this process, or to files of its own.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/worker_pool.h"
#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct DebugOptions {
  enum class Verbosity : uint8_t { kBasic, kNormal, kDetailed };
  Verbosity verbosity = Verbosity::kBasic;
  int64_t sampling_initial = 2;
  int64_t sampling_thereafter = 1;
  bool use_internal_logger = true;
  std::vector<std::string> output_paths = {};  // without the log; empty: standard output
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

// basic: a line a batch, with counts. normal and detailed: a text too (debug_text.h). Thread-safe. To the log it writes
// at once; to files on a worker, and answers when that is done: kUnavailable with a delay if it can't be, or if workers
// have too much to do.
class DebugExporter final : public Exporter {
 public:
  using WriteLine = std::function<void(std::string_view message, std::initializer_list<LogField> fields)>;

  // `write` is the log, and may be called on any thread; a message may have several lines.
  DebugExporter(const ComponentId& id, const DebugOptions& options, const BuildContext& context, WriteLine write);

  // Opens the files. Errors name them.
  Status Start() override;
  // Waits for what is being written.
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kDelivered; }

 private:
  class Files;
  void WriteToLog(const otlp::Batch& batch) const;
  // Of normal and detailed.
  [[nodiscard]] std::string TextOf(const otlp::Batch& batch) const;
  void WriteToFiles(const otlp::Batch& batch, Done done);

  // Whether the batch that comes now is among those of this second that are written.
  bool IsWritten() ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string id_;
  const DebugOptions options_;
  const WriteLine write_;
  const std::shared_ptr<Files> files_;  // null without files; shared with what workers write
  WorkerPool& workers_;
  const otlp::Signal signal_;
  Counter& sent_;
  const Clock& clock_;
  Mutex mutex_;
  int64_t second_ ABSL_GUARDED_BY(mutex_) = 0;  // of the steady clock, in which count_ batches came
  int64_t count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Exporter type "debug", whose log is that of the process, at level info.
void RegisterDebugExporter(Registry& registry);

}  // namespace spanloom::pipeline
