// SPDX-License-Identifier: Apache-2.0

#include "otlp/batch.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "otlp/fields.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {

using wire::Cursor;
using wire::Writer;
using Level = Patches::Level;

// Steps through the spans that a slice has left, with the positions of what they stand in. `Visitor` has
//   void OnResource(const Enclosing& resource)
//   void OnScope(const Enclosing& scope)
//   void OnSpan(std::string_view span, size_t position)
// of which the first two are called once, before the first span that is left of the resource or scope.
class SliceWalk {
 public:
  // A resource or scope.
  struct Enclosing {
    std::string_view message;
    std::string_view schema_url;
    size_t position = 0;
  };

  template <typename Visitor>
  static void Run(const Slice& slice, Visitor&& visitor) {
    size_t scope_position = 0;
    size_t span_position = 0;
    size_t resource_position = 0;
    size_t spans_to_visit = slice.span_count_;
    if (spans_to_visit == 0) return;
    CHECK(slice.signal_ == Signal::kTraces);
    for (const ResourceSpansView resource_spans : TracesView(slice.wire_.view()).resource_spans()) {
      bool in_resource = false;
      for (const ScopeSpansView scope_spans : resource_spans.scope_spans()) {
        bool in_scope = false;
        for (const std::string_view span : SpansOf(scope_spans)) {
          const size_t position = span_position++;
          if (!slice.IsLeft(position)) continue;
          if (!std::exchange(in_resource, true)) {
            visitor.OnResource(Enclosing{
                .message = Current(slice, Level::kResource, resource_position, resource_spans.resource().wire()),
                .schema_url = Current(slice, Level::kResourceSchemaUrl, resource_position, resource_spans.schema_url()),
                .position = resource_position});
          }
          if (!std::exchange(in_scope, true)) {
            visitor.OnScope(Enclosing{
                .message = Current(slice, Level::kScope, scope_position, scope_spans.scope().wire()),
                .schema_url = Current(slice, Level::kScopeSchemaUrl, scope_position, scope_spans.schema_url()),
                .position = scope_position});
          }
          visitor.OnSpan(Current(slice, Level::kSpan, position, span), position);
          if (--spans_to_visit == 0) return;
        }
        ++scope_position;
      }
      ++resource_position;
    }
  }

 private:
  static RepeatedView<std::string_view, field::ScopeSpans::kSpans> SpansOf(const ScopeSpansView& scope_spans) {
    return RepeatedView<std::string_view, field::ScopeSpans::kSpans>(scope_spans.wire());
  }

  // The patch of a message or text if there is one, else what was received.
  static std::string_view Current(const Slice& slice, Level level, size_t position, std::string_view received) {
    if (slice.patches_ == nullptr) return received;
    return slice.patches_->Find(level, position).value_or(received);
  }
};

namespace {

using Enclosing = SliceWalk::Enclosing;

// True for the one of a metric's fields that has its data points.
bool IsMetricData(const Cursor& cursor) {
  switch (cursor.field()) {
    case field::Metric::kGauge:
    case field::Metric::kSum:
    case field::Metric::kHistogram:
    case field::Metric::kExponentialHistogram:
    case field::Metric::kSummary:
      return true;
    default:
      return false;
  }
}

// Gives each span to `visit(context, position)`.
template <typename Visit>
class ContextVisitor {
 public:
  explicit ContextVisitor(Visit& visit) : visit_(visit) {}

  void OnResource(const Enclosing& resource) {
    resource_ = ResourceView(resource.message);
    resource_schema_url_ = resource.schema_url;
  }
  void OnScope(const Enclosing& scope) {
    scope_ = ScopeView(scope.message);
    scope_schema_url_ = scope.schema_url;
  }
  void OnSpan(std::string_view wire, size_t position) {
    const SpanView span(wire);
    visit_(SpanContext{.resource = resource_,
                       .resource_schema_url = resource_schema_url_,
                       .scope = scope_,
                       .scope_schema_url = scope_schema_url_,
                       .span = span},
           position);
  }

 private:
  Visit& visit_;
  ResourceView resource_;
  ScopeView scope_;
  std::string_view resource_schema_url_;
  std::string_view scope_schema_url_;
};

template <typename Visit>
void VisitSpans(const Slice& slice, Visit visit) {
  SliceWalk::Run(slice, ContextVisitor<Visit>(visit));
}

// Collects what editors have changed.
class Changes {
 public:
  void Keep(MessageEditor& editor, Level level, size_t position) {
    if (editor.is_changed()) Add(editor.wire(), level, position);
  }
  void Keep(const SchemaUrlEditor& editor, Level level, size_t position) {
    if (editor.is_changed()) Add(editor.view(), level, position);
  }

  [[nodiscard]] const std::vector<Patches::Patch>& patches() const { return patches_; }
  [[nodiscard]] std::string TakeBytes() { return std::move(bytes_); }

 private:
  void Add(std::string_view replacement, Level level, size_t position) {
    patches_.push_back({.level = level, .position = position, .begin = bytes_.size(), .size = replacement.size()});
    bytes_.append(replacement);
  }

  std::string bytes_;
  std::vector<Patches::Patch> patches_;
};

class ResourceEdit {
 public:
  ResourceEdit(absl::FunctionRef<void(ResourceEditor&)> edit, Changes& changes) : edit_(edit), changes_(changes) {}

  void OnResource(const Enclosing& resource) {
    editor_.Begin(resource.message);
    edit_(editor_);
    changes_.Keep(editor_, Level::kResource, resource.position);
  }
  void OnScope(const Enclosing&) {}
  void OnSpan(std::string_view, size_t) {}

 private:
  absl::FunctionRef<void(ResourceEditor&)> edit_;
  Changes& changes_;
  ResourceEditor editor_;
};

class ScopeEdit {
 public:
  ScopeEdit(absl::FunctionRef<void(ScopeEditor&)> edit, Changes& changes) : edit_(edit), changes_(changes) {}

  void OnResource(const Enclosing&) {}
  void OnScope(const Enclosing& scope) {
    editor_.Begin(scope.message);
    edit_(editor_);
    changes_.Keep(editor_, Level::kScope, scope.position);
  }
  void OnSpan(std::string_view, size_t) {}

 private:
  absl::FunctionRef<void(ScopeEditor&)> edit_;
  Changes& changes_;
  ScopeEditor editor_;
};

// Resource and scope are edited by their spans, and kept when the last of these is through.
class SpanEdit {
 public:
  SpanEdit(absl::FunctionRef<void(SpanEditContext&)> edit, Changes& changes) : edit_(edit), changes_(changes) {}

  void OnResource(const Enclosing& resource) {
    KeepScope();
    KeepResource();
    resource_.Begin(resource.message);
    resource_schema_url_.Begin(resource.schema_url);
    resource_position_ = resource.position;
    beginning_.of_resource = true;
  }
  void OnScope(const Enclosing& scope) {
    KeepScope();
    scope_.Begin(scope.message);
    scope_schema_url_.Begin(scope.schema_url);
    scope_position_ = scope.position;
    beginning_.of_scope = true;
  }
  void OnSpan(std::string_view span, size_t position) {
    span_.Begin(span);
    SpanEditContext context(resource_, resource_schema_url_, scope_, scope_schema_url_, span_,
                            std::exchange(beginning_, {}));
    edit_(context);
    changes_.Keep(span_, Level::kSpan, position);
  }
  void End() {
    KeepScope();
    KeepResource();
  }

 private:
  void KeepResource() {
    if (!resource_position_) return;
    changes_.Keep(resource_, Level::kResource, *resource_position_);
    changes_.Keep(resource_schema_url_, Level::kResourceSchemaUrl, *resource_position_);
    resource_position_.reset();
  }
  void KeepScope() {
    if (!scope_position_) return;
    changes_.Keep(scope_, Level::kScope, *scope_position_);
    changes_.Keep(scope_schema_url_, Level::kScopeSchemaUrl, *scope_position_);
    scope_position_.reset();
  }

  absl::FunctionRef<void(SpanEditContext&)> edit_;
  Changes& changes_;
  ResourceEditor resource_;
  ScopeEditor scope_;
  SpanEditor span_;
  SchemaUrlEditor resource_schema_url_;
  SchemaUrlEditor scope_schema_url_;
  std::optional<size_t> resource_position_;  // set while resource_ is in use
  std::optional<size_t> scope_position_;
  SpanEditContext::Beginning beginning_;  // of the span that comes next
};

// The data points that a metric has.
size_t CountDataPoints(std::string_view metric) {
  size_t points = 0;
  for (Cursor cursor(metric); cursor.Next();) {
    if (!IsMetricData(cursor)) continue;
    for (Cursor data(cursor.bytes()); data.Next();) {
      points += data.field() == field::MetricData::kDataPoints ? 1 : 0;
    }
  }
  return points;
}

// Copies a request without the spans that are left out and with its patches, message by message; what stays as it is
// and lies together is copied together.
class Copy {
 public:
  Copy(Signal signal, const std::vector<bool>& left_out, const Patches* patches, std::string& out)
      : left_out_(left_out), patches_(patches), out_(out), writer_(out), item_is_metric_(signal == Signal::kMetrics) {}

  void Request(std::string_view request) {
    for (Cursor cursor(request); cursor.Next();) {
      if (cursor.field() == field::Request::kResourceSpans) {
        ResourceSpans(cursor.bytes());
      } else {
        Pass(cursor.raw());
      }
    }
    Flush();
  }

 private:
  static constexpr size_t kLengthSize = 3;  // of messages from 16 KiB to 2 MiB

  void ResourceSpans(std::string_view resource_spans) {
    const Opened opened = Open(field::Request::kResourceSpans);
    const size_t position = resource_position_++;
    const bool has_new_message = Replace(Level::kResource, position, field::ResourceSpans::kResource);
    const bool has_new_url = Find(Level::kResourceSchemaUrl, position).has_value();
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (cursor.field() == field::ResourceSpans::kScopeSpans) {
        ScopeSpans(cursor.bytes());
      } else if (!(has_new_message && cursor.field() == field::ResourceSpans::kResource) &&
                 !(has_new_url && cursor.field() == field::ResourceSpans::kSchemaUrl)) {
        Pass(cursor.raw());
      }
    }
    SchemaUrl(Level::kResourceSchemaUrl, position, field::ResourceSpans::kSchemaUrl);
    CloseOrTakeBack(opened);
  }

  void ScopeSpans(std::string_view scope_spans) {
    const Opened opened = Open(field::ResourceSpans::kScopeSpans);
    const size_t position = scope_position_++;
    const bool has_new_message = Replace(Level::kScope, position, field::ScopeSpans::kScope);
    const bool has_new_url = Find(Level::kScopeSchemaUrl, position).has_value();
    for (Cursor cursor(scope_spans); cursor.Next();) {
      if (cursor.field() == field::ScopeSpans::kSpans) {
        item_is_metric_ ? Metric(cursor.raw(), cursor.bytes()) : Span(cursor.raw());
      } else if (!(has_new_message && cursor.field() == field::ScopeSpans::kScope) &&
                 !(has_new_url && cursor.field() == field::ScopeSpans::kSchemaUrl)) {
        Pass(cursor.raw());
      }
    }
    SchemaUrl(Level::kScopeSchemaUrl, position, field::ScopeSpans::kSchemaUrl);
    CloseOrTakeBack(opened);
  }

  void Span(std::string_view raw) {
    const size_t position = span_position_++;
    if (!left_out_.empty() && left_out_[position]) return;
    ++copied_;
    if (!Replace(Level::kSpan, position, field::ScopeSpans::kSpans)) Pass(raw);
  }

  // Several data points, of which some may be left; in their metric.
  void Metric(std::string_view raw, std::string_view metric) {
    const size_t points = CountDataPoints(metric);
    size_t left = points;
    for (size_t i = 0; i < points && !left_out_.empty(); ++i) left -= left_out_[span_position_ + i] ? 1 : 0;
    if (left == points) {
      if (points > 0) Pass(raw);
      span_position_ += points;
      copied_ += points;
    } else if (left == 0) {
      span_position_ += points;
    } else {
      PartOfMetric(metric);
    }
  }

  void PartOfMetric(std::string_view metric) {
    const Opened opened = Open(field::ScopeSpans::kSpans);
    for (Cursor cursor(metric); cursor.Next();) {
      if (IsMetricData(cursor)) {
        MetricData(cursor.field(), cursor.bytes());
      } else {
        Pass(cursor.raw());
      }
    }
    CloseOrTakeBack(opened);
  }

  void MetricData(uint32_t field, std::string_view data) {
    const Opened opened = Open(field);
    for (Cursor cursor(data); cursor.Next();) {
      if (cursor.field() == field::MetricData::kDataPoints) {
        Span(cursor.raw());
      } else {
        Pass(cursor.raw());
      }
    }
    CloseOrTakeBack(opened);
  }

  [[nodiscard]] std::optional<std::string_view> Find(Level level, size_t position) const {
    return patches_ == nullptr ? std::nullopt : patches_->Find(level, position);
  }

  // Writes the patch of a message, if there is one.
  bool Replace(Level level, size_t position, uint32_t field) {
    const auto patch = Find(level, position);
    if (!patch) return false;
    Flush();
    writer_.Bytes(field, *patch);
    return true;
  }

  // The same of a text, which is left out if it is empty.
  void SchemaUrl(Level level, size_t position, uint32_t field) {
    const auto patch = Find(level, position);
    if (patch && !patch->empty()) Replace(level, position, field);
  }

  // Copies a field as it is, together with those that lie in front of it.
  void Pass(std::string_view raw) {
    if (run_.data() + run_.size() != raw.data()) Flush();
    run_ = {run_.empty() ? raw.data() : run_.data(), run_.size() + raw.size()};
  }
  void Flush() {
    out_.append(run_);
    run_ = {};
  }

  // A message that was begun, and what there was before it.
  struct Opened {
    size_t begin = 0;
    size_t copied = 0;
    Writer::Mark mark;
  };

  Opened Open(uint32_t field) {
    Flush();
    return {.begin = out_.size(), .copied = copied_, .mark = writer_.Begin(field, kLengthSize)};
  }

  // A message without spans is not worth sending.
  void CloseOrTakeBack(const Opened& opened) {
    Flush();
    if (copied_ > opened.copied) {
      writer_.End(opened.mark);
    } else {
      out_.resize(opened.begin);
    }
  }

  const std::vector<bool>& left_out_;  // [spans of the request], or empty
  const Patches* patches_;             // may be null
  std::string& out_;
  Writer writer_;
  std::string_view run_;  // to be copied; ends where the last field that was passed ends
  size_t resource_position_ = 0;
  size_t scope_position_ = 0;
  size_t span_position_ = 0;
  size_t copied_ = 0;  // spans
  bool item_is_metric_;
};

}  // namespace

void Slice::ForEach(absl::FunctionRef<void(const SpanContext&)> visit) const {
  VisitSpans(*this, [&](const SpanContext& context, size_t) { visit(context); });
}

size_t Slice::DropIf(absl::FunctionRef<bool(const SpanContext&)> drop) {
  std::vector<size_t> dropped;  // positions
  VisitSpans(*this, [&](const SpanContext& context, size_t position) {
    if (drop(context)) dropped.push_back(position);
  });
  for (const size_t position : dropped) LeaveOut(position);
  return dropped.size();
}

void Slice::LeaveOut(size_t position) {
  if (left_out_.empty()) left_out_.resize(span_count_);
  CHECK(position < left_out_.size() && !left_out_[position]);
  left_out_[position] = true;
  --span_count_;
}

void Slice::Adopt(std::string bytes, const std::vector<Patches::Patch>& patches) {
  if (patches.empty()) return;
  auto changed = patches_ == nullptr ? std::make_shared<Patches>() : std::make_shared<Patches>(*patches_);
  changed->Add(Bytes(std::move(bytes)), patches);
  patches_ = std::move(changed);
}

size_t Slice::EditResources(absl::FunctionRef<void(ResourceEditor&)> edit) {
  Changes changes;
  SliceWalk::Run(*this, ResourceEdit(edit, changes));
  Adopt(changes.TakeBytes(), changes.patches());
  return changes.patches().size();
}

size_t Slice::EditScopes(absl::FunctionRef<void(ScopeEditor&)> edit) {
  Changes changes;
  SliceWalk::Run(*this, ScopeEdit(edit, changes));
  Adopt(changes.TakeBytes(), changes.patches());
  return changes.patches().size();
}

size_t Slice::EditSpans(absl::FunctionRef<void(SpanEditContext&)> edit) {
  Changes changes;
  SpanEdit visitor(edit, changes);
  SliceWalk::Run(*this, visitor);
  visitor.End();
  Adopt(changes.TakeBytes(), changes.patches());
  return changes.patches().size();
}

Slice Slice::TakeFront(size_t spans) {
  Slice front = *this;
  const size_t total = request_spans();
  size_t taken = 0;
  for (size_t position = 0; position < total; ++position) {
    if (!front.IsLeft(position)) continue;
    if (taken < spans) {
      LeaveOut(position);
      ++taken;
    } else {
      front.LeaveOut(position);
    }
  }
  return front;
}

std::vector<Slice> Slice::Split(size_t parts, absl::FunctionRef<size_t(const SpanContext&)> part_of) const {
  Slice nothing = *this;
  nothing.left_out_.assign(request_spans(), true);
  nothing.span_count_ = 0;
  std::vector<Slice> slices(parts, nothing);
  VisitSpans(*this, [&](const SpanContext& context, size_t position) {
    const size_t part = part_of(context);
    CHECK(part < parts);
    slices[part].left_out_[position] = false;
    ++slices[part].span_count_;
  });
  for (Slice& slice : slices) {
    if (slice.span_count_ == slice.left_out_.size()) slice.left_out_.clear();
  }
  return slices;
}

void Slice::AppendTo(std::string& out) const {
  if (is_whole()) {
    out.append(wire_.view());
  } else if (span_count_ > 0) {
    Copy(signal_, left_out_, patches_.get(), out).Request(wire_.view());
  }
}

namespace {

// A whole slice of this size stays where it is. Smaller ones are cheaper to copy than to send apart: a piece ends a
// DATA frame, of 16 KiB at most (RFC 9113 section 4.2).
constexpr size_t kSharedBytesMin = 16 << 10;

bool IsShared(const Slice& slice) {
  return slice.is_whole() && slice.wire().size() >= kSharedBytesMin;
}

// How much is copied of slices; an upper bound, as spans that were left out count.
size_t CopiedBytes(std::span<const Slice> slices) {
  size_t bytes = 0;
  for (const Slice& slice : slices) bytes += IsShared(slice) ? 0 : slice.held_bytes();
  return bytes;
}

ByteChain Pieces(std::span<const Slice> slices) {
  ByteChain pieces;
  while (!slices.empty()) {
    const auto shared = std::find_if(slices.begin(), slices.end(), IsShared);
    const auto run = slices.first(static_cast<size_t>(shared - slices.begin()));
    std::string copied;
    copied.reserve(CopiedBytes(run));
    for (const Slice& slice : run) slice.AppendTo(copied);
    pieces.Append(Bytes(std::move(copied)));
    if (shared != slices.end()) pieces.Append(shared->wire());
    slices = slices.subspan(std::min(slices.size(), run.size() + 1));
  }
  return pieces;
}

}  // namespace

void Batch::Add(Slice slice) {
  forms_.reset();
  slices_.push_back(std::move(slice));
}

void Batch::Add(Batch batch) {
  forms_.reset();
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
  for (const Slice& slice : slices_) bytes += slice.held_bytes();
  return bytes;
}

std::vector<Batch> Batch::Split(size_t parts, absl::FunctionRef<size_t(const SpanContext&)> part_of) const {
  std::vector<Batch> batches(parts);
  for (const Slice& slice : slices_) {
    std::vector<Slice> split = slice.Split(parts, part_of);
    for (size_t part = 0; part < parts; ++part) {
      if (split[part].span_count() > 0) batches[part].Add(std::move(split[part]));
    }
  }
  return batches;
}

ByteChain Batch::EncodeInPieces() const {
  constexpr int kWire = 0;
  if (slices_.size() == 1 && slices_.front().is_whole()) return ByteChain(slices_.front().wire());
  return EncodeAs(kWire, [this] { return Pieces(slices_); });
}

size_t Batch::copied_bytes() const {
  return CopiedBytes(slices_);
}

ByteChain Batch::EncodeAs(int key, absl::FunctionRef<ByteChain()> make) const {
  return forms_ == nullptr ? make() : forms_->Get(key, make);
}

}  // namespace spanloom::otlp
