// SPDX-License-Identifier: Apache-2.0
//
// A CPU profile in the form that pprof reads. Specification: github.com/google/pprof, proto/profile.proto.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "pipeline/extensions/cpu_sampler.h"

namespace spanloom::pipeline {

// A file whose code is in memory: addresses are looked up in it.
struct CodeMapping {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t file_offset = 0;
  std::string file;
};

// Those of this process, from the text of /proc/self/maps.
[[nodiscard]] std::vector<CodeMapping> ParseCodeMappings(std::string_view maps);

// Compressed by gzip, as it is served. Equal stacks are one sample; names of functions are left to pprof, which finds
// them in the files.
[[nodiscard]] Bytes EncodeProfile(const CpuSamples& samples, const std::vector<CodeMapping>& mappings,
                                  int64_t begin_unix_ns, std::chrono::nanoseconds duration);

}  // namespace spanloom::pipeline
