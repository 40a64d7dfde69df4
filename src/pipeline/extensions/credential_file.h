// SPDX-License-Identifier: Apache-2.0
//
// A file with a credential that is read again when it changes, as Kubernetes' secrets do.

#pragma once

#include <absl/base/thread_annotations.h>

#include <chrono>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/status.h"

namespace spanloom::pipeline {

inline constexpr std::chrono::seconds kCredentialFileInterval{1};  // guess
inline constexpr size_t kCredentialFileBytesMax = 1 << 20;         // guess

// Thread-safe. A thread of its own looks at the file, since a loop must not wait for a disk.
class CredentialFile {
 public:
  // `extension` is for the log.
  CredentialFile(std::string path, std::string extension);
  ~CredentialFile();
  CredentialFile(const CredentialFile&) = delete;
  CredentialFile& operator=(const CredentialFile&) = delete;

  // Reads it, and follows it from then on. kInvalidArgument names the file and why it can't be read. Blocks.
  Status Start();
  // Follows it no longer; what was read last stays.
  void Stop();

  // Looks at it once. True if it has changed. What can't be read is logged, once for each reason, and changes nothing.
  bool Reload();

  // All that is in it.
  [[nodiscard]] std::string content() const;

 private:
  const std::string path_;
  const std::string extension_;
  mutable Mutex mutex_;
  std::string content_ ABSL_GUARDED_BY(mutex_);
  std::string last_problem_;  // that was logged; of whoever reloads
  Notification is_ending_;
  std::thread watcher_;
};

// The whole of `path`. kInvalidArgument names it and why it can't be read. Blocks.
StatusOr<std::string> ReadCredentials(const std::string& path);

}  // namespace spanloom::pipeline
