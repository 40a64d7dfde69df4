// SPDX-License-Identifier: Apache-2.0

#include "otlp/merge.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "otlp/schema.h"
#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;
using wire::Writer;

// The contents of one message, part by part. Never copied: a message nests as deep as values do, and a copy a level
// would multiply what a request costs.
using Parts = std::span<const std::string_view>;

template <typename Visit>
void ForEachField(Parts parts, Visit visit) {
  for (const std::string_view part : parts) {
    for (Cursor cursor(part); cursor.Next();) visit(cursor);
  }
}

// The contents of the fields `field` from the one that begins at `begin`, or from the first if it is null.
std::vector<std::string_view> Contents(Parts parts, uint32_t field, const char* begin = nullptr) {
  size_t count = 0;
  bool counts = begin == nullptr;
  const auto for_each = [&](auto visit) {
    ForEachField(parts, [&](const Cursor& cursor) {
      counts = counts || cursor.raw().data() == begin;
      if (counts && cursor.field() == field) visit(cursor.bytes());
    });
  };
  for_each([&](std::string_view) { ++count; });
  std::vector<std::string_view> contents;
  contents.reserve(count);
  counts = begin == nullptr;
  for_each([&](std::string_view content) { contents.push_back(content); });
  return contents;
}

// Which kind of value an AnyValue ends up with: the last one, of which the fields since it was last another count.
struct LastKind {
  uint32_t field = 0;           // 0 if there is no value
  const char* begin = nullptr;  // of the first field that counts
  const char* last = nullptr;   // of the last one
};

LastKind FindLastKind(Parts parts) {
  LastKind kind;
  ForEachField(parts, [&](const Cursor& cursor) {
    if (kValueSchema.Find(cursor.field()).kind == FieldKind::kUnknown) return;
    kind.last = cursor.raw().data();
    if (cursor.field() == kind.field) return;
    kind.field = cursor.field();
    kind.begin = kind.last;
  });
  return kind;
}

class Merger {
 public:
  explicit Merger(std::string& out) : writer_(out) {}

  void Message(Parts parts, const MessageSchema& schema) {
    if (&schema == &kValueSchema) return Value(parts);
    uint32_t written = 0;  // bit n: the singular message with field number n
    ForEachField(parts, [&](const Cursor& cursor) {
      const FieldSchema& field = schema.Find(cursor.field());
      if (field.kind == FieldKind::kMessage) {
        if ((written >> field.number & 1) == 0) {
          Nested(Contents(parts, field.number), field);
        }
        written |= 1u << field.number;
      } else if (field.kind == FieldKind::kRepeatedMessage) {
        const std::string_view content = cursor.bytes();
        Nested(Parts(&content, 1), field);
      } else {
        writer_.Raw(cursor.raw());
      }
    });
  }

 private:
  void Nested(Parts parts, const FieldSchema& field) {
    const Writer::Mark mark = writer_.Begin(field.number);
    Message(parts, *field.message);
    writer_.End(mark);
  }

  void Value(Parts parts) {
    const LastKind kind = FindLastKind(parts);
    ForEachField(parts, [&](const Cursor& cursor) {
      const FieldSchema& field = kValueSchema.Find(cursor.field());
      const bool is_known = field.kind != FieldKind::kUnknown;
      if (is_known && cursor.raw().data() != kind.last) return;
      if (field.message == nullptr) {
        writer_.Raw(cursor.raw());
      } else {
        Nested(Contents(parts, kind.field, kind.begin), field);
      }
    });
  }

  Writer writer_;
};

}  // namespace

std::string MergeSplitMessages(std::string_view wire) {
  std::string out;
  out.reserve(wire.size());
  Merger(out).Message(Parts(&wire, 1), kTracesSchema);
  return out;
}

}  // namespace spanloom::otlp
