// SPDX-License-Identifier: Apache-2.0

#include "otlp/message_editor.h"

#include "otlp/fields.h"
#include "otlp/wire/cursor.h"

namespace spanloom::otlp {
namespace {

using wire::Cursor;
using wire::Writer;

std::string_view KeyOf(std::string_view attribute) {
  std::string_view key;
  for (Cursor cursor(attribute); cursor.Next();) {
    if (cursor.field() == field::KeyValue::kKey) key = cursor.bytes();
  }
  return key;
}

// Copies stretches of a message, as long as they may be, between the fields that are left out.
class CopyAround {
 public:
  CopyAround(std::string_view message, std::string& out)
      : next_(message.data()), end_(message.data() + message.size()), out_(out) {}

  // Copies up to the field and goes on behind it.
  void LeaveOut(std::string_view field) {
    out_.append(next_, field.data());
    next_ = field.data() + field.size();
  }
  void CopyRest() { out_.append(next_, end_); }

 private:
  const char* next_;
  const char* end_;
  std::string& out_;
};

}  // namespace

void MessageEditor::Begin(std::string_view message) {
  original_ = message;
  current_ = message;
  edits_.clear();
  edited_fields_ = 0;
  scratch_.clear();
  ++version_;
}

std::optional<ValueView> MessageEditor::FindAttribute(std::string_view key) const {
  for (const Edit& edit : edits_) {
    if (edit.field != attributes_field_ || Scratch(edit.key) != key) continue;
    if (edit.replacement.size == 0) return std::nullopt;
    Cursor cursor(Scratch(edit.replacement));
    cursor.Next();
    return AttributeView(cursor.bytes()).value();
  }
  for (Cursor cursor(current_); cursor.Next();) {
    if (cursor.field() != attributes_field_) continue;
    const AttributeView attribute(cursor.bytes());
    if (attribute.key() == key) return attribute.value();
  }
  return std::nullopt;
}

void MessageEditor::SetString(std::string_view key, std::string_view value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.String(key, value); });
}

void MessageEditor::SetBool(std::string_view key, bool value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.Bool(key, value); });
}

void MessageEditor::SetInt(std::string_view key, int64_t value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.Int(key, value); });
}

void MessageEditor::SetDouble(std::string_view key, double value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.Double(key, value); });
}

void MessageEditor::SetBytes(std::string_view key, std::string_view value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.Bytes(key, value); });
}

void MessageEditor::SetEncoded(std::string_view key, std::string_view any_value) {
  SetAttribute(key, [&](AttributeWriter& writer) { writer.Encoded(key, any_value); });
}

bool MessageEditor::DeleteAttribute(std::string_view key) {
  if (!FindAttribute(key)) return false;
  SetAttribute(key, [](AttributeWriter&) {});
  return true;
}

bool MessageEditor::RenameAttribute(std::string_view from, std::string_view to) {
  const auto value = FindAttribute(from);
  if (!value) return false;
  if (from == to) return true;
  SetEncoded(to, value->wire());
  return DeleteAttribute(from);
}

void MessageEditor::RewriteAttributes(absl::FunctionRef<void(const AttributeView&, AttributeWriter&)> rewrite) {
  RewriteMessages(attributes_field_, [&](std::string_view attribute, Writer& writer) {
    AttributeWriter attributes(writer, attributes_field_);
    rewrite(AttributeView(attribute), attributes);
    return true;
  });
}

std::string_view MessageEditor::wire() {
  Apply();
  return current_;
}

bool MessageEditor::is_changed() {
  Apply();
  return current_.data() != original_.data() && current_ != original_;
}

void MessageEditor::SetField(uint32_t field, absl::FunctionRef<void(Writer&)> write) {
  staging_.clear();
  Writer writer(staging_);
  write(writer);
  const Range replacement = Keep(staging_);
  EditOf(field, {}).replacement = replacement;
}

std::string_view MessageEditor::FindMessage(uint32_t field) {
  Apply();
  std::string_view content;
  for (Cursor cursor(current_); cursor.Next();) {
    if (cursor.field() == field) content = cursor.bytes();
  }
  return content;
}

void MessageEditor::RewriteMessages(uint32_t field,
                                    absl::FunctionRef<bool(std::string_view content, Writer&)> rewrite) {
  Apply();
  std::string& out = NextBuffer();
  CopyAround copy(current_, out);
  bool is_rewritten = false;
  for (Cursor cursor(current_); cursor.Next();) {
    if (cursor.field() != field) continue;
    staging_.clear();
    Writer writer(staging_);
    if (!rewrite(cursor.bytes(), writer)) continue;
    is_rewritten = true;
    copy.LeaveOut(cursor.raw());
    out.append(staging_);
  }
  if (!is_rewritten) return;
  copy.CopyRest();
  Adopt(out);
}

MessageEditor::Range MessageEditor::Keep(std::string_view bytes) {
  const Range range = {.begin = scratch_.size(), .size = bytes.size()};
  scratch_.append(bytes);
  return range;
}

MessageEditor::Edit& MessageEditor::EditOf(uint32_t field, std::string_view key) {
  for (Edit& edit : edits_) {
    if (edit.field == field && Scratch(edit.key) == key) return edit;
  }
  edited_fields_ |= 1ull << field;
  edits_.push_back({.field = field, .key = Keep(key), .replacement = {}});
  return edits_.back();
}

void MessageEditor::SetAttribute(std::string_view key, absl::FunctionRef<void(AttributeWriter&)> write) {
  staging_.clear();
  AttributeWriter writer(Writer(staging_), attributes_field_);
  write(writer);
  Edit& edit = EditOf(attributes_field_, key);
  edit.replacement = Keep(staging_);
}

MessageEditor::Edit* MessageEditor::FindEdit(const Cursor& field) {
  if (field.field() > 63 || (edited_fields_ >> field.field() & 1) == 0) return nullptr;
  const std::string_view key = field.field() == attributes_field_ ? KeyOf(field.bytes()) : std::string_view();
  for (Edit& edit : edits_) {
    if (edit.field == field.field() && Scratch(edit.key) == key) return &edit;
  }
  return nullptr;
}

void MessageEditor::Apply() {
  if (edits_.empty()) return;
  std::string& out = NextBuffer();
  WriteEdited(out);
  edits_.clear();
  edited_fields_ = 0;
  scratch_.clear();
  Adopt(out);
}

void MessageEditor::WriteEdited(std::string& out) {
  CopyAround copy(current_, out);
  for (Cursor cursor(current_); cursor.Next();) {
    Edit* edit = FindEdit(cursor);
    if (edit == nullptr) continue;
    copy.LeaveOut(cursor.raw());
    if (!edit->is_written) out.append(Scratch(edit->replacement));
    edit->is_written = true;
  }
  copy.CopyRest();
  for (const Edit& edit : edits_) {
    if (!edit.is_written) out.append(Scratch(edit.replacement));
  }
}

std::string& MessageEditor::NextBuffer() {
  std::string& buffer = buffers_[current_.data() == buffers_[0].data() ? 1 : 0];
  buffer.clear();
  return buffer;
}

void MessageEditor::Adopt(const std::string& buffer) {
  current_ = buffer;
  ++version_;
}

}  // namespace spanloom::otlp
