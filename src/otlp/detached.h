// SPDX-License-Identifier: Apache-2.0
//
// Spans taken out of their requests, for those who hold them long: a slice (batch.h) keeps its whole request alive, a
// detached span costs its own bytes. Resources and scopes, which repeat in every request, are held once for all spans
// that stand in them.

#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "otlp/batch.h"
#include "otlp/ids.h"
#include "otlp/views.h"

namespace spanloom::otlp {

// A resource and a scope in it, with bytes of their own. Immutable; counted by those who hold spans in it.
class HeldContext {
 public:
  [[nodiscard]] const ResourceView& resource() const { return resource_; }
  [[nodiscard]] std::string_view resource_schema_url() const { return resource_schema_url_; }
  [[nodiscard]] const ScopeView& scope() const { return scope_; }
  [[nodiscard]] std::string_view scope_schema_url() const { return scope_schema_url_; }
  // All fields of ResourceSpans but its scopes, of ScopeSpans but its spans, as they came.
  [[nodiscard]] std::string_view resource_fields() const;
  [[nodiscard]] std::string_view scope_fields() const;
  // What it is looked up by: both, and where one ends.
  [[nodiscard]] std::string_view key() const { return key_; }

 private:
  friend class ContextTable;
  struct Table;

  HeldContext(std::string key, std::shared_ptr<Table> table);

  const std::string key_;
  const std::shared_ptr<Table> table_;  // shared, because spans may outlive the ContextTable
  ResourceView resource_;
  ScopeView scope_;
  std::string_view resource_schema_url_;
  std::string_view scope_schema_url_;
  std::atomic<uint32_t> holders_ = 1;
};

// The contexts of all spans that are held, each once. Thread-safe.
class ContextTable {
 public:
  ContextTable();

  // The context of these fields, held once more.
  [[nodiscard]] const HeldContext* Hold(std::string_view resource_fields, std::string_view scope_fields);
  // One of several holders, or the only one of `context`, holds it once more, or no longer.
  static void HoldAgain(const HeldContext* context);
  static void LetGo(const HeldContext* context);

  [[nodiscard]] size_t size() const;
  // What all contexts cost.
  [[nodiscard]] size_t held_bytes() const;

 private:
  const std::shared_ptr<HeldContext::Table> table_;
};

// Spans that have bytes of their own. Movable. Thread-compatible.
class DetachedSpans {
 public:
  DetachedSpans() = default;
  DetachedSpans(DetachedSpans&& other) noexcept { *this = std::move(other); }
  DetachedSpans& operator=(DetachedSpans&& other) noexcept;
  ~DetachedSpans() { Clear(); }

  [[nodiscard]] size_t span_count() const { return span_count_; }
  [[nodiscard]] bool empty() const { return span_count_ == 0; }
  // What they cost, without the contexts, which others hold too.
  [[nodiscard]] size_t held_bytes() const { return held_bytes_; }
  // About what they take in a request, each message with its resource and scope as it was detached.
  [[nodiscard]] size_t wire_bytes() const { return wire_bytes_; }

  // Takes over the spans of `other`, behind those that are here. Copies nothing.
  void Append(DetachedSpans other);
  void Clear();

  // Visits the spans in order, each with the context that it shares with others.
  void ForEach(absl::FunctionRef<void(const HeldContext&, std::string_view span)> visit) const;

  // A request of them alone; spans of one resource and scope stand together. Every byte of each message is as it was
  // when it was detached. Must not be empty.
  [[nodiscard]] Slice ToSlice() const;

 private:
  friend class Detachment;
  struct Chunk;

  Chunk* first_ = nullptr;  // owned, as those behind it
  Chunk* last_ = nullptr;
  size_t span_count_ = 0;
  size_t held_bytes_ = 0;
  size_t wire_bytes_ = 0;
};

// The spans of one trace in a batch.
struct DetachedTrace {
  TraceId id;
  DetachedSpans spans;
  bool has_root = false;  // one of them has no parent
};

// Copies the spans of `batch`, as processors have left them, by trace, in order of appearance. Walks every span twice:
// once for its trace, once for its copy.
[[nodiscard]] std::vector<DetachedTrace> DetachByTrace(const Batch& batch, ContextTable& contexts);

}  // namespace spanloom::otlp
