// SPDX-License-Identifier: Apache-2.0
//
// What flows through the pipeline into exporters and the store: slices of received requests, of one signal a batch. A
// slice shares the request's bytes, says which of its spans are left, and holds what processors changed as patches
// beside them; bytes of a slice that was changed are copied once, when an exporter writes its request.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_chain.h"
#include "base/bytes.h"
#include "otlp/editor.h"
#include "otlp/encoded_forms.h"
#include "otlp/patches.h"
#include "otlp/request_origin.h"
#include "otlp/signal.h"
#include "otlp/views.h"

namespace spanloom::otlp {

// One span with what it stands in.
struct SpanContext {
  const ResourceView& resource;
  std::string_view resource_schema_url;
  const ScopeView& scope;
  std::string_view scope_schema_url;
  const SpanView& span;
};

// A span under edit with what it stands in. An edit of the resource or scope holds for all of its spans that the slice
// visits, those before this one included.
class SpanEditContext {
 public:
  // Which of the spans visited it is the first of.
  struct Beginning {
    bool of_resource = false;
    bool of_scope = false;
  };

  SpanEditContext(ResourceEditor& resource, SchemaUrlEditor& resource_schema_url, ScopeEditor& scope,
                  SchemaUrlEditor& scope_schema_url, SpanEditor& span, Beginning beginning)
      : resource_(resource),
        scope_(scope),
        span_(span),
        resource_schema_url_(resource_schema_url),
        scope_schema_url_(scope_schema_url),
        beginning_(beginning) {}

  [[nodiscard]] ResourceEditor& resource() { return resource_; }
  [[nodiscard]] ScopeEditor& scope() { return scope_; }
  [[nodiscard]] SpanEditor& span() { return span_; }
  // Of all the resource's (scope's) spans, as edits of the resource (scope) are.
  [[nodiscard]] SchemaUrlEditor& resource_schema_url() { return resource_schema_url_; }
  [[nodiscard]] SchemaUrlEditor& scope_schema_url() { return scope_schema_url_; }
  // True for the first span that is visited of its resource (scope).
  [[nodiscard]] bool begins_resource() const { return beginning_.of_resource; }
  [[nodiscard]] bool begins_scope() const { return beginning_.of_scope; }
  // All of it as it is now. Valid until the next edit of any of them.
  [[nodiscard]] SpanContext context() {
    return {.resource = resource_.view(),
            .resource_schema_url = resource_schema_url_.view(),
            .scope = scope_.view(),
            .scope_schema_url = scope_schema_url_.view(),
            .span = span_.view()};
  }

 private:
  ResourceEditor& resource_;
  ScopeEditor& scope_;
  SpanEditor& span_;
  SchemaUrlEditor& resource_schema_url_;
  SchemaUrlEditor& scope_schema_url_;
  Beginning beginning_;
};

// A received request, less the spans that are not part of the slice, with the changes made to the others. A value;
// copying shares all bytes, and what is done to a copy is not seen in the original. Thread-compatible; copies may be
// used on different threads.
//
// Of metrics and logs nothing is read or edited: what is said of spans holds for their data points and log records
// where slices are cut and written, and the rest is for traces only.
class Slice {
 public:
  // All spans of `wire`, which ReadRequest (request.h) made or would leave as it is. `span_count` as counted by
  // ValidateRequest.
  Slice(Bytes wire, size_t span_count, Signal signal = Signal::kTraces)
      : wire_(std::move(wire)), span_count_(span_count), signal_(signal) {}

  [[nodiscard]] Signal signal() const { return signal_; }
  // Where the request came from; null if nobody knows. Shared by all slices of it.
  [[nodiscard]] const std::shared_ptr<const RequestOrigin>& origin() const { return origin_; }
  void set_origin(std::shared_ptr<const RequestOrigin> origin) { origin_ = std::move(origin); }

  // The request as received, all spans included.
  [[nodiscard]] const Bytes& wire() const { return wire_; }
  // Spans that are left.
  [[nodiscard]] size_t span_count() const { return span_count_; }
  // True if all spans are left and nothing was changed: the bytes can be passed on as they are.
  [[nodiscard]] bool is_whole() const { return left_out_.empty() && patches_ == nullptr; }
  // What the slice keeps alive: the request and the patches. Shared with other slices.
  [[nodiscard]] size_t held_bytes() const { return wire_.size() + (patches_ == nullptr ? 0 : patches_->size_bytes()); }

  // Visits the spans that are left, in order, as they are now.
  void ForEach(absl::FunctionRef<void(const SpanContext&)> visit) const;

  // Drops the spans for which `drop` is true; returns how many.
  size_t DropIf(absl::FunctionRef<bool(const SpanContext&)> drop);

  // Each visits what has spans left, in order, with an editor for it, and keeps what was changed. Returns how many
  // messages (resources, scopes, spans) and schema URLs it has replaced. A message without an effective edit costs no
  // memory; if there is none at all, the slice is as it was.
  size_t EditResources(absl::FunctionRef<void(ResourceEditor&)> edit);
  size_t EditScopes(absl::FunctionRef<void(ScopeEditor&)> edit);
  size_t EditSpans(absl::FunctionRef<void(SpanEditContext&)> edit);

  // Takes the first `spans` spans out of the slice, or all if there are fewer. Copies no bytes and reads no span.
  [[nodiscard]] Slice TakeFront(size_t spans);
  // [parts]: a span goes into the slice part_of(span), which must be below `parts`. Copies no bytes.
  [[nodiscard]] std::vector<Slice> Split(size_t parts, absl::FunctionRef<size_t(const SpanContext&)> part_of) const;

  // Appends the `resource_spans` (or `resource_metrics`, `resource_logs`) fields of a request with the spans that are
  // left. Resources and scopes that are left without spans are left out; every other byte that no edit has replaced,
  // unknown fields included, is as it was received.
  void AppendTo(std::string& out) const;

 private:
  friend class SliceWalk;

  [[nodiscard]] size_t request_spans() const { return left_out_.empty() ? span_count_ : left_out_.size(); }
  [[nodiscard]] bool IsLeft(size_t position) const { return left_out_.empty() || !left_out_[position]; }
  void LeaveOut(size_t position);
  void Adopt(std::string bytes, const std::vector<Patches::Patch>& patches);

  Bytes wire_;
  size_t span_count_ = 0;
  std::vector<bool> left_out_;              // [spans of the request], by position; empty if all are left
  std::shared_ptr<const Patches> patches_;  // null if nothing was changed. Shared, because copies of a slice are
                                            // cheap values on several threads; replaced, never changed
  std::shared_ptr<const RequestOrigin> origin_;
  Signal signal_ = Signal::kTraces;
};

// Slices of one signal, in order of arrival. A value: what is changed in a copy is not seen in the original.
class Batch {
 public:
  Batch() = default;
  explicit Batch(Slice slice) { Add(std::move(slice)); }

  void Add(Slice slice);
  void Add(Batch batch);
  // Of an empty batch: traces.
  [[nodiscard]] Signal signal() const { return slices_.empty() ? Signal::kTraces : slices_.front().signal(); }
  [[nodiscard]] const std::vector<Slice>& slices() const { return slices_; }
  // To be changed.
  [[nodiscard]] std::vector<Slice>& slices() {
    forms_.reset();
    return slices_;
  }
  [[nodiscard]] size_t span_count() const;
  // Bytes of the requests and patches that the slices keep alive, as an upper bound of what the batch costs.
  [[nodiscard]] size_t wire_bytes() const;
  [[nodiscard]] bool empty() const { return span_count() == 0; }
  // [parts], as Slice::Split; slices without spans are left out.
  [[nodiscard]] std::vector<Batch> Split(size_t parts, absl::FunctionRef<size_t(const SpanContext&)> part_of) const;
  // The whole batch as one request. Shares the bytes if it is one whole slice.
  [[nodiscard]] Bytes Encode() const { return EncodeInPieces().Joined(); }
  // The same as it lies in memory: slices that are whole, and not small, are shared, the others are copied together.
  [[nodiscard]] ByteChain EncodeInPieces() const;
  // How much that copies; an upper bound.
  [[nodiscard]] size_t copied_bytes() const;

  // Copies made from now on, as long as they are not changed, are encoded once for all of them.
  void ShareForms() { forms_ = std::make_shared<EncodedForms>(); }
  // What `make` makes of the batch; once for all who share, if they ask with the same key. Keys are at least 1.
  [[nodiscard]] ByteChain EncodeAs(int key, absl::FunctionRef<ByteChain()> make) const;

 private:
  std::vector<Slice> slices_;
  std::shared_ptr<EncodedForms> forms_;  // null if nothing is shared
};

}  // namespace spanloom::otlp
