// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/summary_table.h"

#include <algorithm>

#include "store/columnar/segment/byte_writer.h"

namespace spanloom::store::columnar {

void SummaryTable::AddOrigin(std::string_view service) {
  const auto [found, is_new] =
      service_numbers_.try_emplace(std::string(service), static_cast<uint32_t>(services_.size()));
  service_of_origin_.push_back(found->second);
  if (!is_new) return;
  services_.emplace_back(service);
  use_of_service_.push_back(kUnused);
}

void SummaryTable::Begin() {
  for (const Use& use : uses_) use_of_service_[use.service] = kUnused;
  uses_.clear();
  has_root_ = false;
}

void SummaryTable::Add(uint32_t origin, bool is_error) {
  const uint32_t service = service_of_origin_[origin];
  uint32_t& place = use_of_service_[service];
  if (place == kUnused) {
    place = static_cast<uint32_t>(uses_.size());
    uses_.push_back({.service = service});
  }
  Use& use = uses_[place];
  ++use.spans;
  if (is_error) ++use.errors;
}

void SummaryTable::SetRoot(uint32_t origin, std::string_view name) {
  has_root_ = true;
  root_service_ = service_of_origin_[origin];
  root_name_ = name;
}

uint32_t SummaryTable::End() {
  std::ranges::sort(uses_, {}, &Use::service);
  key_.clear();
  ByteWriter writer(key_);
  for (const Use& use : uses_) {
    writer.U32(use.service);
    writer.U32(use.spans);
    writer.U32(use.errors);
  }
  writer.U8(has_root_ ? 1 : 0);
  if (has_root_) {
    writer.U32(root_service_);
    key_.append(root_name_);
  }
  const auto found = numbers_.find(key_);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(summaries_.size());
  summaries_.push_back(Encode());
  numbers_.emplace(key_, number);
  return number;
}

std::string SummaryTable::Encode() const {
  std::string out;
  ByteWriter writer(out);
  writer.U8(has_root_ ? 1 : 0);
  if (has_root_) {
    writer.Text(services_[root_service_]);
    writer.Text(root_name_);
  }
  std::vector<Use> by_name = uses_;
  std::ranges::sort(by_name, {}, [&](const Use& use) -> const std::string& { return services_[use.service]; });
  writer.Varint(by_name.size());
  for (const Use& use : by_name) {
    writer.Text(services_[use.service]);
    writer.Varint(use.spans);
    writer.Varint(use.errors);
  }
  return out;
}

}  // namespace spanloom::store::columnar
