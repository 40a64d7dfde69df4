// SPDX-License-Identifier: Apache-2.0

#include "base/process_memory.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "base/cgroup.h"
#include "base/go_limits.h"
#include "base/text.h"

namespace spanloom {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// The first number of a file; kNoLimit if there is no file or it begins with something else ("max").
uint64_t ReadLimit(const std::string& path) {
  std::ifstream file(path);
  uint64_t limit = 0;
  return file >> limit ? limit : kNoLimit;
}

uint64_t CgroupLimit(const std::string& root) {
  const CgroupDirectories groups = FindCgroups("memory", root);
  uint64_t limit = kNoLimit;
  for (const std::string& group : groups.version_2) limit = std::min(limit, ReadLimit(StrCat(group, "/memory.max")));
  for (const std::string& group : groups.version_1) {
    limit = std::min(limit, ReadLimit(StrCat(group, "/memory.limit_in_bytes")));
  }
  return limit;
}

uint64_t MachineBytes(const std::string& root) {
  std::ifstream file(StrCat(root, "/proc/meminfo"));
  std::string name;
  uint64_t kibibytes = 0;
  if (!(file >> name >> kibibytes) || name != "MemTotal:") return kNoLimit;
  return kibibytes * 1024;
}

// As dl_iterate_phdr calls it for each object. Segments that can be written have pages that are in no file.
int GiveBackSegments(dl_phdr_info* object, size_t /*size*/, void* /*data*/) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const uint64_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
    const uint64_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
    // May fail, as where pages are locked: they stay, and nothing is lost.
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void GiveBackProgramPages() {
  dl_iterate_phdr(GiveBackSegments, nullptr);
}

std::optional<uint64_t> ResidentBytes(const std::string& root) {
  std::ifstream file(StrCat(root, "/proc/self/statm"));
  uint64_t size_pages = 0;
  uint64_t resident_pages = 0;
  if (!(file >> size_pages >> resident_pages)) return std::nullopt;
  return resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

StatusOr<UsableMemory> FindUsableMemory(const std::optional<uint64_t>& hint_bytes, const std::string& root) {
  const uint64_t machine = MachineBytes(root);
  // Version 1 says "no limit" as a number that no machine has.
  if (const uint64_t group = CgroupLimit(root); group < machine) {
    return UsableMemory{.bytes = group, .source = "memory limit of the cgroup"};
  }
  if (hint_bytes && *hint_bytes < machine) return UsableMemory{.bytes = *hint_bytes, .source = "GOMEMLIMIT"};
  if (machine != kNoLimit) return UsableMemory{.bytes = machine, .source = "memory of the machine"};
  return absl::UnavailableError("neither a cgroup nor /proc/meminfo says how much memory there is; set limit_mib");
}

StatusOr<UsableMemory> FindUsableMemory() {
  return FindUsableMemory(ReadGoLimits().memory_bytes, "");
}

}  // namespace spanloom
