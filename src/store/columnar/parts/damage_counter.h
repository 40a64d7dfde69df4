// SPDX-License-Identifier: Apache-2.0
//
// Parts of files that could not be read: counted, and named in the log.

#pragma once

#include <cstdint>
#include <string_view>

#include "base/log.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/text.h"

namespace spanloom::store::columnar {

// Thread-safe.
class DamageCounter {
 public:
  explicit DamageCounter(MetricRegistry& metrics)
      : parts_(metrics.GetCounter("spanloom_store_damaged_parts",
                                  "Times that a part of a file could not be read and was left out.")) {}

  void Add(std::string_view why) {
    parts_.Add(1);
    Log(LogLevel::kError, "a part of the store can't be read, and is left out", {{"why", why}});
  }
  void Add(const Status& status) { Add(StdView(status.message())); }
  [[nodiscard]] uint64_t count() const { return parts_.value(); }

 private:
  Counter& parts_;
};

}  // namespace spanloom::store::columnar
