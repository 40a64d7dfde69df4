// SPDX-License-Identifier: Apache-2.0
//
// One answer for several parts of a batch.

#pragma once

#include <absl/base/thread_annotations.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "pipeline/consumer.h"

namespace spanloom::pipeline {

// [parts] callbacks; when each has been called, `done` is, with OK or the first error that came. `parts` is at least 1.
inline std::vector<Done> JoinedDone(size_t parts, Done done) {
  struct Join {
    Mutex mutex;
    size_t unanswered ABSL_GUARDED_BY(mutex);
    Status status ABSL_GUARDED_BY(mutex);
    Done done;
    Join(size_t parts, Done on_all) : unanswered(parts), done(std::move(on_all)) {}

    void Answer(Status part) ABSL_LOCKS_EXCLUDED(mutex) {
      Status all;
      {
        const MutexLock lock(mutex);
        status.Update(std::move(part));
        if (--unanswered > 0) return;
        all = status;
      }
      std::move(done)(std::move(all));
    }
  };
  CHECK(parts > 0);
  const auto join = std::make_shared<Join>(parts, std::move(done));  // shared by the callbacks
  std::vector<Done> callbacks;
  for (size_t i = 0; i < parts; ++i) {
    callbacks.push_back([join](Status status) { join->Answer(std::move(status)); });
  }
  return callbacks;
}

}  // namespace spanloom::pipeline
