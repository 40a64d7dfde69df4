// SPDX-License-Identifier: Apache-2.0

#include "pipeline/connectors/edge_store.h"

namespace spanloom::pipeline {

EdgeStore::Result EdgeStore::Update(const Key& key, int64_t now_ns, absl::FunctionRef<void(Edge&)> update,
                                    OnEdge complete) {
  const auto known = edges_.find(key);
  if (known != edges_.end()) {
    update(known->second.edge);
    if (!known->second.edge.is_complete()) return Result::kKnown;
    complete(key, known->second.edge);
    edges_.erase(known);
    return Result::kKnown;
  }
  Edge edge;
  update(edge);
  if (edge.is_complete()) {
    complete(key, edge);
    return Result::kNew;
  }
  if (is_full()) return Result::kFull;
  edges_.emplace(key, Waiting{std::move(edge), ++last_number_});
  deadlines_.push_back({key, last_number_, now_ns + ttl_ns_});
  return Result::kNew;
}

void EdgeStore::Expire(int64_t now_ns, OnEdge expire) {
  for (; !deadlines_.empty(); deadlines_.pop_front()) {
    const Deadline& first = deadlines_.front();
    const auto edge = edges_.find(first.key);
    const bool is_gone = edge == edges_.end() || edge->second.number != first.number;
    if (is_gone) continue;
    if (first.at_ns > now_ns) return;
    expire(first.key, edge->second.edge);
    edges_.erase(edge);
  }
}

}  // namespace spanloom::pipeline
