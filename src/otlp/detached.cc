// SPDX-License-Identifier: Apache-2.0

#include "otlp/detached.h"

#include <cstring>
#include <deque>
#include <new>
#include <optional>

#include "base/check.h"
#include "otlp/fields.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {

using wire::Cursor;
using wire::VarintSize;
using wire::Writer;

namespace {

constexpr size_t kKeyHead = sizeof(uint32_t);  // of HeldContext::key_: the size of the resource's fields

// Framing of a ResourceSpans with one ScopeSpans: two tags, two lengths of mostly two bytes.
constexpr size_t kContextFraming = 6;

constexpr size_t BytesFieldSize(size_t size) {
  return 1 + VarintSize(size) + size;  // of a field whose number is below 16
}

// True for a field that holds a message; one of another type is an unknown field.
bool IsMessage(const Cursor& cursor, uint32_t field) {
  return cursor.field() == field && cursor.type() == wire::Type::kBytes;
}

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
char* Store(char* to, const T& value) {
  std::memcpy(to, &value, sizeof(T));
  return to + sizeof(T);
}

}  // namespace

struct HeldContext::Table {
  Mutex mutex;
  absl::flat_hash_map<std::string_view, HeldContext*> contexts ABSL_GUARDED_BY(mutex);  // by their own keys; owned
  std::atomic<size_t> held_bytes = 0;

  static size_t CostOf(const HeldContext& context) { return sizeof(HeldContext) + context.key_.capacity(); }
};

HeldContext::HeldContext(std::string key, std::shared_ptr<Table> table)
    : key_(std::move(key)), table_(std::move(table)) {
  const ResourceSpansView resource_spans(resource_fields());
  const ScopeSpansView scope_spans(scope_fields());
  resource_ = resource_spans.resource();
  resource_schema_url_ = resource_spans.schema_url();
  scope_ = scope_spans.scope();
  scope_schema_url_ = scope_spans.schema_url();
}

std::string_view HeldContext::resource_fields() const {
  return key().substr(kKeyHead, Load<uint32_t>(key_.data()));
}

std::string_view HeldContext::scope_fields() const {
  return key().substr(kKeyHead + Load<uint32_t>(key_.data()));
}

ContextTable::ContextTable() : table_(std::make_shared<HeldContext::Table>()) {}

const HeldContext* ContextTable::Hold(std::string_view resource_fields, std::string_view scope_fields) {
  std::string key(kKeyHead, '\0');
  key.reserve(kKeyHead + resource_fields.size() + scope_fields.size());
  Store(key.data(), static_cast<uint32_t>(resource_fields.size()));
  key.append(resource_fields).append(scope_fields);
  MutexLock lock(table_->mutex);
  if (const auto found = table_->contexts.find(key); found != table_->contexts.end()) {
    found->second->holders_.fetch_add(1, std::memory_order_relaxed);
    return found->second;
  }
  auto* context = new HeldContext(std::move(key), table_);
  table_->contexts.emplace(context->key(), context);
  table_->held_bytes += HeldContext::Table::CostOf(*context);
  return context;
}

void ContextTable::HoldAgain(const HeldContext* context) {
  const_cast<HeldContext*>(context)->holders_.fetch_add(1, std::memory_order_relaxed);
}

// The last holder must be alone with the table, so that nobody finds a context which is about to go.
void ContextTable::LetGo(const HeldContext* const_context) {
  auto* context = const_cast<HeldContext*>(const_context);
  uint32_t holders = context->holders_.load(std::memory_order_relaxed);
  while (holders > 1) {
    if (context->holders_.compare_exchange_weak(holders, holders - 1, std::memory_order_acq_rel)) return;
  }
  const std::shared_ptr<HeldContext::Table> table = context->table_;
  MutexLock lock(table->mutex);
  if (context->holders_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  table->held_bytes -= HeldContext::Table::CostOf(*context);
  table->contexts.erase(context->key());
  delete context;
}

size_t ContextTable::size() const {
  MutexLock lock(table_->mutex);
  return table_->contexts.size();
}

size_t ContextTable::held_bytes() const {
  return table_->held_bytes.load();
}

// What one request had of a trace, in one piece: runs of spans in the same context, each a RunHead, then for each span
// its size (u32) and its bytes.
struct DetachedSpans::Chunk {
  Chunk* next = nullptr;
  uint32_t size = 0;  // of the runs, in bytes

  struct RunHead {
    const HeldContext* context;
    uint32_t spans;
  };
  static constexpr size_t kSpanHead = sizeof(uint32_t);

  // Uninitialized runs, for whoever writes them at once.
  static Chunk* Make(size_t size) {
    auto* chunk = new (::operator new(sizeof(Chunk) + size)) Chunk;
    chunk->size = static_cast<uint32_t>(size);
    return chunk;
  }
  static void Destroy(Chunk* chunk) {
    chunk->~Chunk();
    ::operator delete(chunk);
  }

  [[nodiscard]] char* runs() { return reinterpret_cast<char*>(this) + sizeof(Chunk); }
  [[nodiscard]] const char* runs() const { return reinterpret_cast<const char*>(this) + sizeof(Chunk); }

  template <typename OnRun, typename OnSpan>
  void Visit(OnRun on_run, OnSpan on_span) const {
    const char* const end = runs() + size;
    for (const char* next_byte = runs(); next_byte != end;) {
      const auto run = Load<RunHead>(next_byte);
      next_byte += sizeof(RunHead);
      on_run(run.context);
      for (uint32_t i = 0; i < run.spans; ++i) {
        const auto span_size = Load<uint32_t>(next_byte);
        on_span(*run.context, std::string_view(next_byte + kSpanHead, span_size));
        next_byte += kSpanHead + span_size;
      }
    }
  }
};

DetachedSpans& DetachedSpans::operator=(DetachedSpans&& other) noexcept {
  if (this == &other) return *this;
  Clear();
  first_ = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  span_count_ = std::exchange(other.span_count_, 0);
  held_bytes_ = std::exchange(other.held_bytes_, 0);
  wire_bytes_ = std::exchange(other.wire_bytes_, 0);
  return *this;
}

void DetachedSpans::Append(DetachedSpans other) {
  if (first_ == nullptr) return *this = std::move(other), void();
  if (other.first_ == nullptr) return;
  last_->next = std::exchange(other.first_, nullptr);
  last_ = std::exchange(other.last_, nullptr);
  span_count_ += std::exchange(other.span_count_, 0);
  held_bytes_ += std::exchange(other.held_bytes_, 0);
  wire_bytes_ += std::exchange(other.wire_bytes_, 0);
}

void DetachedSpans::Clear() {
  for (Chunk* chunk = std::exchange(first_, nullptr); chunk != nullptr;) {
    chunk->Visit([](const HeldContext* context) { ContextTable::LetGo(context); },
                 [](const HeldContext&, std::string_view) {});
    Chunk::Destroy(std::exchange(chunk, chunk->next));
  }
  last_ = nullptr;
  span_count_ = held_bytes_ = wire_bytes_ = 0;
}

void DetachedSpans::ForEach(absl::FunctionRef<void(const HeldContext&, std::string_view)> visit) const {
  for (const Chunk* chunk = first_; chunk != nullptr; chunk = chunk->next) {
    chunk->Visit([](const HeldContext*) {}, visit);
  }
}

namespace {

// Puts spans that were detached together again to a request.
class RequestAssembly {
 public:
  explicit RequestAssembly(size_t spans) { spans_.reserve(spans); }

  void Add(const HeldContext& context, std::string_view span) {
    if (spans_.empty() || &context != parts_[spans_.back().part].context) part_ = PartOf(context);
    parts_[part_].span_bytes += BytesFieldSize(span.size());
    spans_.push_back({span, part_});
  }

  std::string Write() {
    std::vector<std::string_view> sorted = SortedByPart();
    std::string out;
    out.reserve(Size());
    Writer writer(out);
    for (const Resource& resource : resources_) {
      writer.BeginSized(field::Request::kResourceSpans, resource.Size(parts_));
      writer.Raw(resource.fields);
      for (const size_t part : resource.parts) WritePart(parts_[part], sorted, writer);
    }
    return out;
  }

 private:
  struct Span {
    std::string_view wire;
    size_t part;
  };

  // The spans of one context.
  struct Part {
    const HeldContext* context;
    size_t span_bytes = 0;
    size_t begin = 0;  // in the sorted spans
    size_t end = 0;
    [[nodiscard]] size_t Size() const { return context->scope_fields().size() + span_bytes; }
  };

  struct Resource {
    std::string_view fields;
    std::vector<size_t> parts = {};
    [[nodiscard]] size_t Size(const std::vector<Part>& all) const {
      size_t size = fields.size();
      for (const size_t part : parts) size += BytesFieldSize(all[part].Size());
      return size;
    }
  };

  size_t PartOf(const HeldContext& context) {
    const auto [part, is_new] = part_of_.try_emplace(&context, parts_.size());
    if (!is_new) return part->second;
    parts_.push_back({&context});
    const auto [resource, is_new_resource] = resource_of_.try_emplace(context.resource_fields(), resources_.size());
    if (is_new_resource) resources_.push_back({context.resource_fields()});
    resources_[resource->second].parts.push_back(part->second);
    return part->second;
  }

  std::vector<std::string_view> SortedByPart() {
    for (const Span& span : spans_) ++parts_[span.part].end;
    size_t begin = 0;
    for (Part& part : parts_) {
      part.begin = begin;
      begin += part.end;
      part.end = part.begin;
    }
    std::vector<std::string_view> sorted(spans_.size());
    for (const Span& span : spans_) sorted[parts_[span.part].end++] = span.wire;
    return sorted;
  }

  [[nodiscard]] size_t Size() const {
    size_t size = 0;
    for (const Resource& resource : resources_) size += BytesFieldSize(resource.Size(parts_));
    return size;
  }

  static void WritePart(const Part& part, const std::vector<std::string_view>& sorted, Writer& writer) {
    writer.BeginSized(field::ResourceSpans::kScopeSpans, part.Size());
    writer.Raw(part.context->scope_fields());
    for (size_t i = part.begin; i < part.end; ++i) writer.Bytes(field::ScopeSpans::kSpans, sorted[i]);
  }

  std::vector<Span> spans_;
  std::vector<Part> parts_;  // in order of appearance
  std::vector<Resource> resources_;
  absl::flat_hash_map<const HeldContext*, size_t> part_of_;
  absl::flat_hash_map<std::string_view, size_t> resource_of_;  // by fields
  size_t part_ = 0;                                            // of the span before
};

}  // namespace

Slice DetachedSpans::ToSlice() const {
  CHECK(!empty());
  RequestAssembly assembly(span_count_);
  ForEach([&](const HeldContext& context, std::string_view span) { assembly.Add(context, span); });
  return {Bytes(assembly.Write()), span_count_};
}

// Takes spans out of requests: first all are looked at, then each trace gets a chunk of the size that it needs.
class Detachment {
 public:
  explicit Detachment(ContextTable& contexts) : contexts_(contexts) {}
  Detachment(const Detachment&) = delete;
  Detachment& operator=(const Detachment&) = delete;
  ~Detachment() {
    for (const HeldContext* context : held_) ContextTable::LetGo(context);
  }

  // `request` must stay until Finish.
  void Add(std::string_view request) {
    for (Cursor cursor(request); cursor.Next();) {
      if (IsMessage(cursor, field::Request::kResourceSpans)) AddResourceSpans(cursor.bytes());
    }
  }

  std::vector<DetachedTrace> Finish() {
    std::vector<DetachedTrace> traces;
    traces.reserve(traces_.size());
    for (Trace& trace : traces_) traces.push_back(Begin(trace));
    for (const Span& span : spans_) Copy(span);
    return traces;
  }

 private:
  using Chunk = DetachedSpans::Chunk;
  static constexpr uint32_t kNoContext = UINT32_MAX;

  struct Span {
    std::string_view wire;
    uint32_t trace;    // in traces_
    uint32_t context;  // in held_
  };

  struct Trace {
    TraceId id;
    bool has_root = false;
    uint32_t context = kNoContext;  // of the run that was begun last
    size_t spans = 0;
    size_t chunk_bytes = 0;
    size_t wire_bytes = 0;
    char* next_byte = nullptr;  // while copying
    char* run = nullptr;        // where its head stands
  };

  void AddResourceSpans(std::string_view resource_spans) {
    resource_fields_.clear();
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (!IsMessage(cursor, field::ResourceSpans::kScopeSpans)) resource_fields_.append(cursor.raw());
    }
    for (Cursor cursor(resource_spans); cursor.Next();) {
      if (IsMessage(cursor, field::ResourceSpans::kScopeSpans)) AddScopeSpans(cursor.bytes());
    }
  }

  void AddScopeSpans(std::string_view scope_spans) {
    scope_fields_.clear();
    const size_t first = spans_.size();
    for (Cursor cursor(scope_spans); cursor.Next();) {
      if (IsMessage(cursor, field::ScopeSpans::kSpans)) {
        spans_.push_back({.wire = cursor.bytes(), .trace = 0, .context = static_cast<uint32_t>(held_.size())});
      } else {
        scope_fields_.append(cursor.raw());
      }
    }
    if (spans_.size() == first) return;
    held_.push_back(contexts_.Hold(resource_fields_, scope_fields_));
    for (size_t i = first; i < spans_.size(); ++i) Assign(spans_[i]);
  }

  void Assign(Span& span) {
    const SpanView view(span.wire);
    const auto [found, is_new] = trace_of_.try_emplace(view.trace_id(), static_cast<uint32_t>(traces_.size()));
    if (is_new) traces_.push_back({.id = view.trace_id()});
    span.trace = found->second;
    Trace& trace = traces_[span.trace];
    if (trace.context != span.context) {
      trace.context = span.context;
      trace.chunk_bytes += sizeof(Chunk::RunHead);
      trace.wire_bytes += resource_fields_.size() + scope_fields_.size() + kContextFraming;
    }
    ++trace.spans;
    trace.chunk_bytes += Chunk::kSpanHead + span.wire.size();
    trace.wire_bytes += BytesFieldSize(span.wire.size());
    trace.has_root = trace.has_root || view.parent_span_id().IsZero();
  }

  static DetachedTrace Begin(Trace& trace) {
    DetachedTrace detached{.id = trace.id, .spans = {}, .has_root = trace.has_root};
    Chunk* const chunk = Chunk::Make(trace.chunk_bytes);
    trace.next_byte = chunk->runs();
    trace.context = kNoContext;
    detached.spans.first_ = detached.spans.last_ = chunk;
    detached.spans.span_count_ = trace.spans;
    detached.spans.held_bytes_ = sizeof(Chunk) + trace.chunk_bytes;
    detached.spans.wire_bytes_ = trace.wire_bytes;
    return detached;
  }

  void Copy(const Span& span) {
    Trace& trace = traces_[span.trace];
    if (trace.context != span.context) {
      trace.context = span.context;
      ContextTable::HoldAgain(held_[span.context]);
      trace.run = trace.next_byte;
      trace.next_byte = Store(trace.run, Chunk::RunHead{.context = held_[span.context], .spans = 0});
    }
    auto run = Load<Chunk::RunHead>(trace.run);
    ++run.spans;
    Store(trace.run, run);
    trace.next_byte = Store(trace.next_byte, static_cast<uint32_t>(span.wire.size()));
    std::memcpy(trace.next_byte, span.wire.data(), span.wire.size());
    trace.next_byte += span.wire.size();
  }

  ContextTable& contexts_;
  std::string resource_fields_;  // of the resource that is walked
  std::string scope_fields_;
  std::vector<const HeldContext*> held_;  // in order of appearance
  std::vector<Span> spans_;
  std::vector<Trace> traces_;
  absl::flat_hash_map<TraceId, uint32_t> trace_of_;
};

std::vector<DetachedTrace> DetachByTrace(const Batch& batch, ContextTable& contexts) {
  std::deque<std::string> edited;  // requests that had to be written anew
  Detachment detachment(contexts);
  for (const Slice& slice : batch.slices()) {
    if (slice.is_whole()) {
      detachment.Add(slice.wire().view());
    } else if (slice.span_count() > 0) {
      slice.AppendTo(edited.emplace_back());
      detachment.Add(edited.back());
    }
  }
  return detachment.Finish();
}

}  // namespace spanloom::otlp
