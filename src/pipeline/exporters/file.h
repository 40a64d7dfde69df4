// SPDX-License-Identifier: Apache-2.0
//
// The file exporter: writes each batch to a file, as a line of OTLP JSON or as OTLP protobuf with its length before it;
// or to several, by what resources say.

#pragma once

#include <absl/base/thread_annotations.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "config/options.h"
#include "net/compression.h"
#include "pipeline/drops.h"
#include "pipeline/exporters/request_encoder.h"
#include "pipeline/exporters/rotating_file.h"
#include "pipeline/registry.h"

namespace spanloom::pipeline {

struct FileRotationOptions {
  int64_t max_megabytes = 100;
  int64_t max_days = 0;
  int64_t max_backups = 100;
  bool localtime = false;
  void Declare(config::OptionsReader& r);
};

struct FileCompressionOptions {
  int level = net::kDefaultLevel;
  void Declare(config::OptionsReader& r);
};

// Which file of several.
struct FileGroupOptions {
  bool enabled = false;
  std::string resource_attribute = "fileexporter.path_segment";
  int64_t max_open_files = 100;
  void Declare(config::OptionsReader& r);
};

struct FileExporterOptions {
  std::string path = {};
  std::optional<FileRotationOptions> rotation = {};
  RequestEncoding format = RequestEncoding::kJson;
  bool append = false;
  net::Compression compression = net::Compression::kNone;
  FileCompressionOptions compression_params = {};
  FileGroupOptions group_by = {};
  bool create_directory = false;
  std::string directory_permissions = {};  // octal; "" is 0755
  std::chrono::nanoseconds flush_interval = std::chrono::seconds(1);
  void Declare(config::OptionsReader& r);
  [[nodiscard]] Status Validate() const;

  [[nodiscard]] mode_t DirectoryMode() const;

 private:
  [[nodiscard]] Status ValidateGroups() const;
  [[nodiscard]] Status ValidateDirectory() const;
};

// What may wait to be written: batches that come while the disk is slow are refused beyond it; guess.
inline constexpr size_t kFileQueueBytesMax = 64 << 20;

// Thread-safe. Writes on a worker, in order of arrival, and answers when the batch is in the file. kUnavailable with a
// delay if too much waits, or if it can't be written. A batch for several files is answered when it is in all of them,
// or with the first error: sent again, it is twice in the others. What resources name no file for is dropped and
// counted.
class FileExporter final : public Exporter {
 public:
  FileExporter(const ComponentId& id, const FileExporterOptions& options, const BuildContext& context);
  ~FileExporter() override;

  // Opens the file, unless resources say which. Errors name it.
  Status Start() override;
  // Waits until everything is written; a disk that hangs is waited for.
  void Stop(std::chrono::milliseconds grace) override;
  void Consume(otlp::Batch batch, Done done) override;
  [[nodiscard]] AckGrade ack_grade() const override { return AckGrade::kDelivered; }
  // The file, so that one which goes is closed before its successor opens it.
  [[nodiscard]] std::vector<std::string> claims() const override;

 private:
  class Writer;
  // Items of resources that name no file.
  struct Lost {
    size_t unnamed = 0;   // without the attribute
    size_t unusable = 0;  // with one that is no path
  };
  void Add(const otlp::Batch& batch, std::string path, Done done);
  void AddGroups(const otlp::Batch& batch, Done done);
  void Count(const Lost& lost);

  const FileExporterOptions options_;
  DropCounter drops_;
  const std::shared_ptr<Writer> writer_;  // shared with the worker's task
};

// Exporter type "file".
void RegisterFileExporter(Registry& registry);

}  // namespace spanloom::pipeline
