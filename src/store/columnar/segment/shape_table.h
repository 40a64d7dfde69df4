// SPDX-License-Identifier: Apache-2.0
//
// The columns and shapes of a segment while it is written. Shapes stand in a tree of tokens, so that taking a message
// apart finds its shape on the way, comparing each key with the one that came there last time.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "store/columnar/segment/same_bytes.h"
#include "store/columnar/segment/shape.h"

namespace spanloom::store::columnar {

// Thread-compatible.
class ShapeTable {
 public:
  using NodeId = uint32_t;
  static constexpr uint32_t kNone = 0xffff'ffff;
  static constexpr size_t kNodesMax = 256 << 10;   // of all shapes that were begun; guess
  static constexpr size_t kColumnsMax = 64 << 10;  // guess
  static constexpr size_t kBranchesMax = 64;       // behind one node: that many keys are compared at worst; guess

  ShapeTable();

  [[nodiscard]] NodeId Root(RowTable table) const { return roots_[static_cast<size_t>(table)]; }

  // The node behind `node` for a token; kNone if it is new and there is no room.
  NodeId Step(NodeId node, Op op) {
    const NodeId first = nodes_[node].first_child;
    return first != kNone && nodes_[first].token.op == op ? first : Find(node, op);
  }
  NodeId StepAttribute(NodeId node, RowTable table, ColumnType type, std::string_view key) {
    const NodeId first = nodes_[node].first_child;
    return first != kNone && nodes_[first].Is(type, key) ? first : FindAttribute(node, table, type, key);
  }

  // The number of the shape that ends at `node`; kNone if it is new and there is no room.
  uint32_t End(NodeId node, RowTable table);
  // Always there.
  [[nodiscard]] uint32_t raw(RowTable table) const { return raw_[static_cast<size_t>(table)]; }

  [[nodiscard]] const std::vector<Shape>& shapes() const { return shapes_; }
  [[nodiscard]] const std::vector<ColumnKey>& columns() const { return columns_; }

 private:
  struct Node {
    Token token;
    ColumnType type = ColumnType::kAbsent;  // of attributes
    std::string_view key = {};              // of attributes; views keys_
    NodeId parent = kNone;
    NodeId first_child = kNone;
    NodeId next = kNone;  // sibling
    uint32_t shape = kNone;

    [[nodiscard]] bool Is(ColumnType other_type, std::string_view other_key) const {
      return token.op == Op::kAttribute && type == other_type && AreSame(key, other_key);
    }
  };

  template <typename Match, typename Make>
  NodeId FindOrMake(NodeId node, Match match, Make make);
  NodeId Find(NodeId node, Op op);
  NodeId FindAttribute(NodeId node, RowTable table, ColumnType type, std::string_view key);
  NodeId Add(NodeId parent, Node node);
  uint32_t AddShape(RowTable table, NodeId end);
  uint32_t ColumnOf(RowTable table, ColumnType type, std::string_view key);

  std::vector<Node> nodes_;
  NodeId roots_[kRowTables];
  uint32_t raw_[kRowTables];
  std::vector<Shape> shapes_;
  std::vector<ColumnKey> columns_;
  std::deque<std::string> keys_;  // stay where they are; [columns beyond the fixed ones]
  absl::flat_hash_map<ColumnKey, uint32_t> column_numbers_;
};

}  // namespace spanloom::store::columnar
