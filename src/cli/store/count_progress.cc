// SPDX-License-Identifier: Apache-2.0

#include "cli/store/count_progress.h"

#include "base/text.h"
#include "cli/console/text_format.h"

namespace spanloom::cli::store {

CountProgress::CountProgress(std::string what, uint64_t total, std::function<uint64_t()> done, const Terminal& terminal)
    : what_(std::move(what)),
      total_(total),
      clock_(terminal.clock),
      begin_ns_(terminal.clock.SteadyNs()),
      read_(std::move(done)),
      progress_(
          terminal.err_is_terminal ? console::ProgressStyle::kBar : console::ProgressStyle::kLines,
          [this] { return State(); }, terminal.err) {}

console::ProgressState CountProgress::State() const {
  const uint64_t done = read_();
  const int64_t elapsed_ns = clock_.SteadyNs() - begin_ns_;
  const double share = total_ == 0 ? 1 : static_cast<double>(done) / static_cast<double>(total_);
  const double rate = elapsed_ns > 0 ? static_cast<double>(done) * 1e9 / static_cast<double>(elapsed_ns) : 0;
  return {.share = share,
          .line = StrCat(console::Grouped(done), " of ", console::Grouped(total_), " ", what_, ", ",
                         console::Grouped(static_cast<uint64_t>(rate)), "/s, ", console::TimeLeft(share, elapsed_ns),
                         " left")};
}

}  // namespace spanloom::cli::store
