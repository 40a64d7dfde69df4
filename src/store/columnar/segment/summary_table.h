// SPDX-License-Identifier: Apache-2.0
//
// What traces have in common beside their numbers, while a segment is written: the root's service and name, and the
// spans and errors of each service. Most traces have one of few. Format: docs/formats/segment.md, section `summaries`.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spanloom::store::columnar {

// Thread-compatible.
class SummaryTable {
 public:
  // The service of the next origin: origins are numbered from 0 as they come.
  void AddOrigin(std::string_view service);

  // A trace: Begin, its spans, End, which answers the number of its summary.
  void Begin();
  void Add(uint32_t origin, bool is_error);
  // The first span without a parent.
  void SetRoot(uint32_t origin, std::string_view name);
  [[nodiscard]] bool has_root() const { return has_root_; }
  uint32_t End();

  // By number, as in the section.
  [[nodiscard]] const std::vector<std::string>& summaries() const { return summaries_; }

 private:
  struct Use {
    uint32_t service = 0;
    uint32_t spans = 0;
    uint32_t errors = 0;
  };

  [[nodiscard]] std::string Encode() const;

  static constexpr uint32_t kUnused = 0xffff'ffff;

  std::vector<std::string> services_;
  absl::flat_hash_map<std::string, uint32_t> service_numbers_;
  std::vector<uint32_t> service_of_origin_;
  absl::flat_hash_map<std::string, uint32_t> numbers_;  // by key_
  std::vector<std::string> summaries_;
  // Of the trace.
  std::vector<Use> uses_;
  std::vector<uint32_t> use_of_service_;  // [services]: place in uses_; kUnused
  bool has_root_ = false;
  uint32_t root_service_ = 0;
  std::string root_name_;
  std::string key_;  // equal for equal summaries only
};

}  // namespace spanloom::store::columnar
