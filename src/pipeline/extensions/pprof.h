// SPDX-License-Identifier: Apache-2.0
//
// The pprof extension: takes the configuration of the Collector's, whose profiles are those of a Go runtime, and says
// how to get the like of this process.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/options.h"
#include "pipeline/page_server.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct PprofOptions {
  std::string endpoint = {};
  int64_t block_profile_fraction = 0;
  int64_t mutex_profile_fraction = 0;
  std::string save_to_file = {};  // path; "": none
  void Declare(config::OptionsReader& r);
};

class PprofExtension final : public Extension {
 public:
  PprofExtension(const ComponentId& id, PprofOptions options, const BuildContext& context);
  ~PprofExtension() override;

  // Says in the log which of its options have no effect. An error if the file to save to can't be written.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  [[nodiscard]] std::vector<Endpoint> endpoints() const override;
  [[nodiscard]] std::vector<std::string> claims() const override;

  // What a path answers, but for the profile of CPU time: 200 for what there is, 501 for the profiles that there are
  // not, 404 for the rest. Thread-safe.
  [[nodiscard]] static net::HttpResponse Answer(std::string_view path);

 private:
  class Profiler;
  class SavedProfile;

  const std::string id_;
  const PprofOptions options_;
  const std::shared_ptr<Profiler> profiler_;  // shared with what is on its way to its loop
  PageServer server_;
  const Clock& clock_;
  std::unique_ptr<SavedProfile> saved_;  // of the whole run; null if none is asked for
};

// Extension type "pprof".
void RegisterPprofExtension(Registry& registry);

}  // namespace spanloom::pipeline
