// SPDX-License-Identifier: Apache-2.0
//
// Where text goes that is not for the log of this process: files, standard output, standard error, several at once.

#pragma once

#include <absl/base/thread_annotations.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"

namespace spanloom::pipeline {

// Thread-safe; a call may block, on a disk or on whoever reads standard output.
class OutputFiles {
 public:
  // "stdout", "stderr", or the path of a file.
  explicit OutputFiles(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  ~OutputFiles();
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;

  // Opens them; files are made if they are not there, readable by their owner alone, and grow at their end. Errors:
  // FileError.
  Status Open() ABSL_LOCKS_EXCLUDED(mutex_);

  // Appends `text` to each, unmixed with that of others. The first error, FileError, after all were tried; a part may
  // have been written.
  Status Write(std::string_view text) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const std::vector<std::string> paths_;
  Mutex mutex_;
  std::vector<int> descriptors_ ABSL_GUARDED_BY(mutex_);  // [paths], once open; ours, duplicates of standard ones
};

}  // namespace spanloom::pipeline
