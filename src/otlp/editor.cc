// SPDX-License-Identifier: Apache-2.0

#include "otlp/editor.h"

#include <string>

#include "otlp/wire/cursor.h"
#include "otlp/wire/writer.h"

namespace spanloom::otlp {

using wire::Cursor;
using wire::Writer;

void SpanEditor::SetStatusCode(StatusCode code) {
  SetStatusField(field::Status::kCode, [&](Writer& writer) {
    if (code == StatusCode::kUnset) return;
    writer.Varint(field::Status::kCode, static_cast<uint64_t>(static_cast<int64_t>(code)));
  });
}

void SpanEditor::SetStatusMessage(std::string_view message) {
  SetStatusField(field::Status::kMessage, [&](Writer& writer) {
    if (!message.empty()) writer.Bytes(field::Status::kMessage, message);
  });
}

void SpanEditor::SetStatusField(uint32_t field, absl::FunctionRef<void(Writer&)> write) {
  std::string replacement;
  Writer replacement_writer(replacement);
  write(replacement_writer);
  std::string status;
  bool is_written = false;
  const std::string_view before = FindMessage(field::Span::kStatus);
  for (Cursor cursor(before); cursor.Next();) {
    if (cursor.field() != field) {
      status.append(cursor.raw());
    } else if (!is_written) {
      status.append(replacement);
      is_written = true;
    }
  }
  if (!is_written) status.append(replacement);
  SetField(field::Span::kStatus, [&](Writer& writer) {
    if (before.data() != nullptr || !status.empty()) writer.Bytes(field::Span::kStatus, status);
  });
}

void SpanEditor::EditEvents(absl::FunctionRef<Fate(EventEditor&)> edit) {
  EditMessages<EventEditor>(field::Span::kEvents, edit);
}

void SpanEditor::ReplaceEvents(absl::FunctionRef<std::optional<std::string_view>(std::string_view)> rewrite) {
  RewriteMessages(field::Span::kEvents, [&](std::string_view event, Writer& writer) {
    const auto replacement = rewrite(event);
    if (replacement) writer.Bytes(field::Span::kEvents, *replacement);
    return replacement.has_value();
  });
}

void SpanEditor::EditLinks(absl::FunctionRef<Fate(LinkEditor&)> edit) {
  EditMessages<LinkEditor>(field::Span::kLinks, edit);
}

template <typename Editor>
void SpanEditor::EditMessages(uint32_t field, absl::FunctionRef<Fate(Editor&)> edit) {
  Editor editor;
  RewriteMessages(field, [&](std::string_view message, Writer& writer) {
    editor.Begin(message);
    if (edit(editor) == Fate::kDrop) return true;
    if (!editor.is_changed()) return false;
    writer.Bytes(field, editor.wire());
    return true;
  });
}

}  // namespace spanloom::otlp
