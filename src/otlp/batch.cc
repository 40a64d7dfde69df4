// SPDX-License-Identifier: Apache-2.0

#include "otlp/batch.h"

#include <string_view>

#include "base/check.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;
using wire::Writer;

constexpr uint32_t kResourceSpansField = 1;  // of ExportTraceServiceRequest
constexpr uint32_t kScopeSpansField = 2;     // of ResourceSpans
constexpr uint32_t kSpansField = 2;          // of ScopeSpans

// Visits every span of a request with its position, dropped or not; `is_wanted` decides before the span is read.
template <typename IsWanted, typename Visit>
void Walk(std::string_view request, IsWanted is_wanted, Visit visit) {
  size_t position = 0;
  for (const ResourceSpansView resource_spans : TracesView(request).resource_spans()) {
    const ResourceView resource = resource_spans.resource();
    for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
      const ScopeView scope = scope_spans.scope();
      const auto spans = scope_spans.spans();
      for (auto it = spans.begin(); it != spans.end(); ++it, ++position) {
        if (!is_wanted(position)) continue;
        const SpanView span = *it;
        visit(position, SpanContext{resource_spans, resource, scope_spans, scope, span});
      }
    }
  }
}

// Copies a request without its dropped spans, message by message.
class Copy {
 public:
  Copy(const std::vector<bool>& dropped, std::string& out) : dropped_(dropped), out_(out), writer_(out) {}

  void Request(std::string_view request) {
    for (Cursor cursor(request); cursor.Next();) {
      if (cursor.field() == kResourceSpansField) {
        ResourceSpans(cursor.bytes());
      } else {
        writer_.Raw(cursor.raw());
      }
    }
  }

 private:
  void ResourceSpans(std::string_view resource_spans) {
    const size_t begin = out_.size();
    const size_t copied_before = copied_;
    const Writer::Mark mark = writer_.Begin(kResourceSpansField);
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (cursor.field() == kScopeSpansField) {
        ScopeSpans(cursor.bytes());
      } else {
        writer_.Raw(cursor.raw());
      }
    }
    EndOrTakeBack(mark, begin, copied_before);
  }

  void ScopeSpans(std::string_view scope_spans) {
    const size_t begin = out_.size();
    const size_t copied_before = copied_;
    const Writer::Mark mark = writer_.Begin(kScopeSpansField);
    for (Cursor cursor(scope_spans); cursor.Next();) {
      if (cursor.field() == kSpansField) {
        Span(cursor.raw());
      } else {
        writer_.Raw(cursor.raw());
      }
    }
    EndOrTakeBack(mark, begin, copied_before);
  }

  void Span(std::string_view raw) {
    CHECK(position_ < dropped_.size());
    if (dropped_[position_++]) return;
    writer_.Raw(raw);
    ++copied_;
  }

  // A message without spans is not worth sending.
  void EndOrTakeBack(Writer::Mark mark, size_t begin, size_t copied_before) {
    if (copied_ > copied_before) {
      writer_.End(mark);
    } else {
      out_.resize(begin);
    }
  }

  const std::vector<bool>& dropped_;  // [spans of the request]
  std::string& out_;
  Writer writer_;
  size_t position_ = 0;  // of the next span, among those of the request
  size_t copied_ = 0;    // spans
};

}  // namespace

void Slice::ForEach(absl::FunctionRef<void(const SpanContext&)> visit) const {
  Walk(
      wire_.view(), [this](size_t position) { return dropped_.empty() || !dropped_[position]; },
      [&](size_t, const SpanContext& span) { visit(span); });
}

size_t Slice::DropIf(absl::FunctionRef<bool(const SpanContext&)> drop) {
  size_t count = 0;
  Walk(
      wire_.view(), [this](size_t position) { return dropped_.empty() || !dropped_[position]; },
      [&](size_t position, const SpanContext& span) {
        if (!drop(span)) return;
        if (dropped_.empty()) dropped_.resize(span_count_);
        CHECK(position < dropped_.size());
        dropped_[position] = true;
        ++count;
      });
  span_count_ -= count;
  return count;
}

void Slice::AppendTo(std::string& out) const {
  if (is_whole()) {
    out.append(wire_.view());
  } else if (span_count_ > 0) {
    Copy(dropped_, out).Request(wire_.view());
  }
}

void Batch::Add(Slice slice) {
  slices_.push_back(std::move(slice));
}

void Batch::Add(Batch batch) {
  if (slices_.empty()) {
    slices_ = std::move(batch.slices_);
    return;
  }
  for (Slice& slice : batch.slices_) slices_.push_back(std::move(slice));
}

size_t Batch::span_count() const {
  size_t count = 0;
  for (const Slice& slice : slices_) count += slice.span_count();
  return count;
}

size_t Batch::wire_bytes() const {
  size_t bytes = 0;
  for (const Slice& slice : slices_) bytes += slice.wire().size();
  return bytes;
}

Bytes Batch::Encode() const {
  if (slices_.size() == 1 && slices_.front().is_whole()) return slices_.front().wire();
  std::string out;
  out.reserve(wire_bytes());
  for (const Slice& slice : slices_) slice.AppendTo(out);
  return Bytes(std::move(out));
}

}  // namespace spanloom::otlp
