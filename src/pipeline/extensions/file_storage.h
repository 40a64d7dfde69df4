// SPDX-License-Identifier: Apache-2.0
//
// The file_storage extension: a directory in which sending queues keep their requests, so that they outlive the
// process.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "config/options.h"
#include "pipeline/queue_storage.h"
#include "pipeline/registry.h"
#include "store/data_dir.h"

namespace spanloom::pipeline {

// What bbolt needs in the Collector; here files go by themselves, so the keys are read and nothing follows from them.
struct FileStorageCompactionOptions {
  bool on_start = false;
  bool on_rebound = false;
  std::string directory = "/var/lib/otelcol/file_storage";
  int64_t rebound_needed_threshold_mib = 100;
  int64_t rebound_trigger_threshold_mib = 10;
  int64_t max_transaction_size = 65'536;
  std::chrono::nanoseconds check_interval = std::chrono::seconds(5);
  bool cleanup_on_start = false;
  void Declare(config::OptionsReader& r);
};

struct FileStorageOptions {
  std::string directory = "/var/lib/otelcol/file_storage";
  std::chrono::nanoseconds timeout = std::chrono::seconds(1);
  bool fsync = false;
  bool create_directory = false;
  std::string directory_permissions = "0750";
  FileStorageCompactionOptions compaction = {};
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;
};

class FileStorageExtension final : public Extension {
 public:
  FileStorageExtension(FileStorageOptions options, const BuildContext& context);

  // Takes the directory for this process, waiting for at most `timeout` for another to let it go. Errors name the
  // directory and the next step.
  Status Start() override;
  void Stop(std::chrono::milliseconds grace) override;
  [[nodiscard]] std::vector<std::string> claims() const override;
  [[nodiscard]] std::shared_ptr<const QueueStorage> queue_storage() const override { return storage_; }

 private:
  Status Take();

  const FileStorageOptions options_;
  const Clock& clock_;
  const std::shared_ptr<const QueueStorage> storage_;  // shared with queues
  std::optional<store::DataDir> directory_;            // owned between Start and Stop
};

// Extension type "file_storage".
void RegisterFileStorageExtension(Registry& registry);

}  // namespace spanloom::pipeline
