// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/credential_file.h"

#include <pthread.h>

#include <utility>

#include "base/log.h"
#include "base/read_file.h"
#include "base/text.h"

namespace spanloom::pipeline {

StatusOr<std::string> ReadCredentials(const std::string& path) {
  StatusOr<std::string> content = ReadFile(path, kCredentialFileBytesMax);
  if (content.ok()) return content;
  if (absl::IsOutOfRange(content.status())) {
    return absl::InvalidArgumentError(StrCat(path, " is larger than ", kCredentialFileBytesMax, " bytes"));
  }
  return absl::InvalidArgumentError(StrCat("can't read ", path, ": ", StdView(content.status().message())));
}

CredentialFile::CredentialFile(std::string path, std::string extension)
    : path_(std::move(path)), extension_(std::move(extension)) {}

CredentialFile::~CredentialFile() {
  Stop();
}

Status CredentialFile::Start() {
  ASSIGN_OR_RETURN(std::string content, ReadCredentials(path_));
  {
    const MutexLock lock(mutex_);
    content_ = std::move(content);
  }
  watcher_ = std::thread([this] {
    while (!is_ending_.WaitFor(kCredentialFileInterval)) Reload();
  });
  pthread_setname_np(watcher_.native_handle(), "spanloom-creds");
  return absl::OkStatus();
}

void CredentialFile::Stop() {
  if (!watcher_.joinable()) return;
  is_ending_.Notify();
  watcher_.join();
}

bool CredentialFile::Reload() {
  StatusOr<std::string> content = ReadCredentials(path_);
  if (!content.ok()) {
    if (content.status().message() == AbslView(last_problem_)) return false;
    last_problem_ = std::string(content.status().message());
    Log(LogLevel::kError, "a credential can't be read again; what was read before goes on",
        {{"extension", extension_}, {"error", last_problem_}});
    return false;
  }
  last_problem_.clear();
  const MutexLock lock(mutex_);
  if (*content == content_) return false;
  content_ = *std::move(content);
  return true;
}

std::string CredentialFile::content() const {
  const MutexLock lock(mutex_);
  return content_;
}

}  // namespace spanloom::pipeline
