// SPDX-License-Identifier: Apache-2.0

#include "store/disk/testing/simulated_disk.h"

#include <absl/base/thread_annotations.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "base/text.h"
#include "store/atomic_file.h"
#include "store/disk/testing/simulated_names.h"

namespace spanloom::store::disk {
namespace {

int ErrorNumberOf(Fault fault) {
  return fault == Fault::kNoSpace || fault == Fault::kTornNoSpace ? ENOSPC : EIO;
}

// The operations [at, at + times).
struct Range {
  uint64_t at = 0;
  uint64_t times = 0;
  [[nodiscard]] bool Contains(uint64_t number) const { return number >= at && number - at < times; }
};

// What becomes of a change.
struct Verdict {
  Status status;                 // what the caller is told
  bool happens = true;           // of what is no write
  std::optional<uint64_t> part;  // of a write: how many bytes happen; absent: all
};

}  // namespace

struct SimulatedDisk::State {
  // Counts a change of `bytes` (of a write) and decides about it.
  Verdict BeginChange(std::string_view action, std::string_view path, uint64_t bytes = 0)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (has_crashed) return {.status = Crashed(path), .happens = false, .part = 0};
    const uint64_t number = changes++;
    if (number == crash_at) {
      has_crashed = true;
      return {.status = Crashed(path), .happens = rng.Below(2) == 0, .part = rng.Below(bytes + 1)};
    }
    if (!failing_changes.Contains(number)) return {};
    const bool is_torn = fault == Fault::kTornIoError || fault == Fault::kTornNoSpace;
    return {.status = FileError(action, path, ErrorNumberOf(fault)),
            .happens = false,
            .part = is_torn ? rng.Below(bytes + 1) : 0};
  }

  Status BeginRead(std::string_view action, std::string_view path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (has_crashed) return Crashed(path);
    return failing_reads.Contains(reads++) ? FileError(action, path, EIO) : absl::OkStatus();
  }

  Status Write(SimulatedNode& node, std::string_view path, std::optional<uint64_t> offset, std::string_view content)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Verdict verdict = BeginChange("write", path, content.size());
    const uint64_t begin = offset.value_or(node.file.seen().size());
    const uint64_t held = node.file.seen().size();
    const uint64_t end_max = std::max(begin, held + FreeBytes());
    const uint64_t end = begin + content.size();
    if (verdict.status.ok() && end > held && end > end_max) {
      verdict = {.status = FileError("write", path, ENOSPC), .happens = false, .part = end_max - begin};
    }
    node.file.Write(begin, content.substr(0, verdict.part.value_or(content.size())));
    return verdict.status;
  }

  Status Sync(SimulatedNode& node, std::string_view path) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const Verdict verdict = BeginChange("force to the disk", path);
    if (!options.sync_is_honest) return verdict.status;
    if (verdict.happens) {
      node.file.Sync();
    } else if (!has_crashed) {
      node.file.FailSync(rng);
    }
    return verdict.status;
  }

  Status Resize(SimulatedNode& node, std::string_view path, uint64_t size_bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const Verdict verdict = BeginChange("truncate", path);
    if (verdict.happens) node.file.Resize(size_bytes);
    return verdict.status;
  }

  // Changes names, if the disk lets it.
  Status ChangeNames(std::string_view action, const std::string& path, std::map<std::string, SimulatedNodePtr> changed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (const auto& [each, node] : changed) {
      if (const auto parent = names.Find(DirectoryOf(each)); parent == nullptr || !parent->is_directory) {
        return FileError(action, path, ENOENT);
      }
    }
    const Verdict verdict = BeginChange(action, path);
    if (verdict.happens) names.Change(std::move(changed));
    return verdict.status;
  }

  // A file's node; null if there is none of that name.
  [[nodiscard]] SimulatedNodePtr FileNode(std::string_view path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const SimulatedNodePtr node = names.Find(path);
    return node == nullptr || node->is_directory ? nullptr : node;
  }

  [[nodiscard]] uint64_t FreeBytes() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    uint64_t used = 0;
    for (const auto& [path, node] : names.seen()) used += node->file.seen().size();
    return options.capacity_bytes - std::min(options.capacity_bytes, used);
  }

  static Status Crashed(std::string_view path) {
    return absl::AbortedError(StrCat("the process that used ", path, " has ended"));
  }

  mutable Mutex mutex;
  SimulatedDiskOptions options ABSL_GUARDED_BY(mutex);
  Rng rng ABSL_GUARDED_BY(mutex){1};
  SimulatedNames names ABSL_GUARDED_BY(mutex);
  uint64_t changes ABSL_GUARDED_BY(mutex) = 0;
  uint64_t reads ABSL_GUARDED_BY(mutex) = 0;
  Range failing_changes ABSL_GUARDED_BY(mutex);
  Range failing_reads ABSL_GUARDED_BY(mutex);
  Fault fault ABSL_GUARDED_BY(mutex) = Fault::kIoError;  // of failing_changes
  std::optional<uint64_t> crash_at ABSL_GUARDED_BY(mutex);
  bool has_crashed ABSL_GUARDED_BY(mutex) = false;
};

class SimulatedDisk::OpenFile final : public File {
 public:
  OpenFile(State& state, SimulatedNodePtr node, std::string path, bool is_writable)
      : state_(state), node_(std::move(node)), path_(std::move(path)), is_writable_(is_writable) {}

  StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> target) const override {
    MutexLock lock(state_.mutex);
    RETURN_IF_ERROR(state_.BeginRead("read", path_));
    const std::string& content = node_->file.seen();
    if (offset >= content.size()) return size_t{0};
    return content.copy(target.data(), target.size(), offset);
  }

  Status WriteAt(uint64_t offset, std::string_view content) override {
    if (!is_writable_) return FileError("write", path_, EBADF);
    MutexLock lock(state_.mutex);
    return state_.Write(*node_, path_, offset, content);
  }

  Status Append(std::span<const std::string_view> parts) override {
    if (!is_writable_) return FileError("write", path_, EBADF);
    std::string content;
    for (const std::string_view part : parts) content += part;
    MutexLock lock(state_.mutex);
    return state_.Write(*node_, path_, std::nullopt, content);
  }

  Status Sync() override {
    MutexLock lock(state_.mutex);
    return state_.Sync(*node_, path_);
  }

  Status Truncate(uint64_t size_bytes) override {
    if (!is_writable_) return FileError("truncate", path_, EBADF);
    MutexLock lock(state_.mutex);
    return state_.Resize(*node_, path_, size_bytes);
  }

  StatusOr<uint64_t> Size() const override {
    MutexLock lock(state_.mutex);
    RETURN_IF_ERROR(state_.BeginRead("look at", path_));
    return node_->file.seen().size();
  }

 private:
  State& state_;
  const SimulatedNodePtr node_;
  const std::string path_;
  const bool is_writable_;
};

SimulatedDisk::SimulatedDisk(SimulatedDiskOptions options) : state_(std::make_unique<State>()) {
  MutexLock lock(state_->mutex);
  state_->options = options;
  state_->rng = Rng(options.seed);
}

SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::FailChanges(uint64_t at, Fault fault, uint64_t times) {
  MutexLock lock(state_->mutex);
  state_->failing_changes = {at, times};
  state_->fault = fault;
}

void SimulatedDisk::FailReads(uint64_t at, uint64_t times) {
  MutexLock lock(state_->mutex);
  state_->failing_reads = {at, times};
}

void SimulatedDisk::CrashAtChange(uint64_t at) {
  MutexLock lock(state_->mutex);
  state_->crash_at = at;
}

void SimulatedDisk::SetCapacity(uint64_t capacity_bytes) {
  MutexLock lock(state_->mutex);
  state_->options.capacity_bytes = capacity_bytes;
}

uint64_t SimulatedDisk::changes() const {
  MutexLock lock(state_->mutex);
  return state_->changes;
}

uint64_t SimulatedDisk::reads() const {
  MutexLock lock(state_->mutex);
  return state_->reads;
}

bool SimulatedDisk::has_crashed() const {
  MutexLock lock(state_->mutex);
  return state_->has_crashed;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::AfterKill() const {
  MutexLock lock(state_->mutex);
  auto next = std::make_unique<SimulatedDisk>(state_->options);
  MutexLock next_lock(next->state_->mutex);
  next->state_->names = state_->names.Copy();
  return next;
}

std::unique_ptr<SimulatedDisk> SimulatedDisk::AfterPowerLoss(uint64_t seed) const {
  Rng rng(seed);
  MutexLock lock(state_->mutex);
  auto next = std::make_unique<SimulatedDisk>(state_->options);
  MutexLock next_lock(next->state_->mutex);
  next->state_->names = state_->names.AfterPowerLoss(rng);
  return next;
}

std::string SimulatedDisk::Content(const std::string& path) const {
  MutexLock lock(state_->mutex);
  const SimulatedNodePtr node = state_->FileNode(path);
  CHECK(node != nullptr);
  return node->file.seen();
}

void SimulatedDisk::SetContent(const std::string& path, std::string_view content) {
  MutexLock lock(state_->mutex);
  const SimulatedNodePtr node = state_->FileNode(path);
  CHECK(node != nullptr);
  node->file = SimulatedFile::Safe(std::string(content));
}

StatusOr<std::unique_ptr<File>> SimulatedDisk::Open(const std::string& path, OpenMode mode) {
  MutexLock lock(state_->mutex);
  SimulatedNodePtr node = state_->names.Find(path);
  if (node != nullptr && mode == OpenMode::kCreateExclusive) return FileError("open", path, EEXIST);
  if (node != nullptr && node->is_directory) return FileError("open", path, EISDIR);
  if (node == nullptr && (mode == OpenMode::kCreate || mode == OpenMode::kCreateExclusive)) {
    node = std::make_shared<SimulatedNode>();
    RETURN_IF_ERROR(state_->ChangeNames("open", path, {{path, node}}));
  } else {
    RETURN_IF_ERROR(state_->BeginRead("open", path));
  }
  if (node == nullptr) return FileError("open", path, ENOENT);
  return std::make_unique<OpenFile>(*state_, std::move(node), path, mode != OpenMode::kRead);
}

StatusOr<bool> SimulatedDisk::Exists(const std::string& path) {
  MutexLock lock(state_->mutex);
  RETURN_IF_ERROR(state_->BeginRead("look at", path));
  return state_->names.Find(path) != nullptr;
}

Status SimulatedDisk::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(state_->mutex);
  SimulatedNodePtr node = state_->FileNode(from);
  if (node == nullptr) return FileError("rename", from, ENOENT);
  if (from == to) return absl::OkStatus();
  return state_->ChangeNames("rename", from, {{from, nullptr}, {to, std::move(node)}});
}

Status SimulatedDisk::Remove(const std::string& path) {
  MutexLock lock(state_->mutex);
  if (state_->FileNode(path) == nullptr) return FileError("remove", path, ENOENT);
  return state_->ChangeNames("remove", path, {{path, nullptr}});
}

Status SimulatedDisk::Link(const std::string& existing, const std::string& added) {
  MutexLock lock(state_->mutex);
  SimulatedNodePtr node = state_->FileNode(existing);
  if (node == nullptr) return FileError("link", existing, ENOENT);
  if (state_->names.Find(added) != nullptr) return FileError("link", added, EEXIST);
  return state_->ChangeNames("link", added, {{added, std::move(node)}});
}

Status SimulatedDisk::CreateDirectory(const std::string& path) {
  MutexLock lock(state_->mutex);
  if (const SimulatedNodePtr node = state_->names.Find(path); node != nullptr) {
    return node->is_directory ? absl::OkStatus() : FileError("create directory", path, EEXIST);
  }
  auto directory = std::make_shared<SimulatedNode>(SimulatedNode{.is_directory = true, .file = {}});
  return state_->ChangeNames("create directory", path, {{path, std::move(directory)}});
}

StatusOr<std::vector<std::string>> SimulatedDisk::List(const std::string& directory) {
  MutexLock lock(state_->mutex);
  RETURN_IF_ERROR(state_->BeginRead("list directory", directory));
  const SimulatedNodePtr node = state_->names.Find(directory);
  if (node == nullptr || !node->is_directory) return FileError("list directory", directory, ENOENT);
  std::vector<std::string> found;
  for (const auto& [path, each] : state_->names.seen()) {
    if (!each->is_directory && DirectoryOf(path) == directory) found.push_back(path.substr(path.rfind('/') + 1));
  }
  return found;
}

Status SimulatedDisk::SyncDirectory(const std::string& directory) {
  MutexLock lock(state_->mutex);
  if (state_->names.Find(directory) == nullptr) return FileError("force to the disk", directory, ENOENT);
  const Verdict verdict = state_->BeginChange("force to the disk", directory);
  if (verdict.happens && state_->options.sync_is_honest) state_->names.Sync(directory);
  return verdict.status;
}

StatusOr<uint64_t> SimulatedDisk::FreeBytes(const std::string& directory) {
  MutexLock lock(state_->mutex);
  RETURN_IF_ERROR(state_->BeginRead("look at the file system of", directory));
  return state_->FreeBytes();
}

}  // namespace spanloom::store::disk
