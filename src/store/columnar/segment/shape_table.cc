// SPDX-License-Identifier: Apache-2.0

#include "store/columnar/segment/shape_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"

namespace spanloom::store::columnar {

ShapeTable::ShapeTable() {
  columns_ = {
      {.table = RowTable::kSpans, .type = ColumnType::kString, .key = "trace_state"},
      {.table = RowTable::kSpans, .type = ColumnType::kString, .key = "name"},
      {.table = RowTable::kEvents, .type = ColumnType::kString, .key = "name"},
      {.table = RowTable::kSpans, .type = ColumnType::kString, .key = "status_message"},
      {.table = RowTable::kSpans, .type = ColumnType::kBytes, .key = "raw"},
  };
  CHECK(columns_.size() == kFixedColumns);
  for (size_t i = 0; i < kRowTables; ++i) {
    const auto table = static_cast<RowTable>(i);
    roots_[i] = Add(kNone, Node());
    NodeId node = roots_[i];
    if (table == RowTable::kSpans) node = Step(node, Op::kOrigin);
    node = Step(node, Op::kRaw);
    raw_[i] = End(node, table);
  }
}

ShapeTable::NodeId ShapeTable::Add(NodeId parent, Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  node.parent = parent;
  if (parent != kNone) node.next = std::exchange(nodes_[parent].first_child, id);
  nodes_.push_back(node);
  return id;
}

// The child that came last stands first, since the next message is likely to be alike.
template <typename Match, typename Make>
ShapeTable::NodeId ShapeTable::FindOrMake(NodeId node, Match match, Make make) {
  NodeId before = kNone;
  size_t branches = 0;
  for (NodeId child = nodes_[node].first_child; child != kNone; before = child, child = nodes_[child].next) {
    ++branches;
    if (!match(nodes_[child])) continue;
    if (before != kNone) {
      nodes_[before].next = nodes_[child].next;
      nodes_[child].next = std::exchange(nodes_[node].first_child, child);
    }
    return child;
  }
  return nodes_.size() < kNodesMax && branches < kBranchesMax ? make() : kNone;
}

ShapeTable::NodeId ShapeTable::Find(NodeId node, Op op) {
  return FindOrMake(
      node, [op](const Node& child) { return child.token.op == op; },
      [&] { return Add(node, Node{.token = {.op = op}}); });
}

ShapeTable::NodeId ShapeTable::FindAttribute(NodeId node, RowTable table, ColumnType type, std::string_view key) {
  return FindOrMake(
      node, [&](const Node& child) { return child.Is(type, key); },
      [&]() -> NodeId {
        const uint32_t column = ColumnOf(table, type, key);
        if (column == kNoColumn) return kNone;
        Node child = {.token = {.op = Op::kAttribute, .column = column}, .type = type};
        child.key = keys_[column - kFixedColumns];
        return Add(node, child);
      });
}

uint32_t ShapeTable::ColumnOf(RowTable table, ColumnType type, std::string_view key) {
  ColumnKey column = {.table = table, .type = type, .key = std::string(key)};
  const auto found = column_numbers_.find(column);
  if (found != column_numbers_.end()) return found->second;
  if (columns_.size() >= kColumnsMax) return kNoColumn;
  const auto number = static_cast<uint32_t>(columns_.size());
  keys_.push_back(column.key);
  columns_.push_back(column);
  column_numbers_.emplace(std::move(column), number);
  return number;
}

uint32_t ShapeTable::End(NodeId node, RowTable table) {
  if (nodes_[node].shape == kNone && shapes_.size() < kShapesMax) nodes_[node].shape = AddShape(table, node);
  return nodes_[node].shape;
}

uint32_t ShapeTable::AddShape(RowTable table, NodeId end) {
  Shape shape;
  shape.table = table;
  for (NodeId node = end; nodes_[node].parent != kNone; node = nodes_[node].parent) {
    shape.tokens.push_back(nodes_[node].token);
  }
  std::ranges::reverse(shape.tokens);
  shape.Derive(columns_);
  shapes_.push_back(std::move(shape));
  return static_cast<uint32_t>(shapes_.size() - 1);
}

}  // namespace spanloom::store::columnar
