// SPDX-License-Identifier: Apache-2.0
//
// The one mechanism behind all editors (editor.h): edits of one message are collected and then written in one pass, in
// which everything that is not edited keeps its bytes, order and unknown fields.

#pragma once

#include <absl/container/inlined_vector.h>
#include <absl/functional/function_ref.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp/views.h"
#include "otlp/wire/writer.h"
#include "otlp/writer.h"

namespace spanloom::otlp {

// A message with attributes that is being edited. Thread-compatible; borrows the message it began with. To be used
// again and again: after a few messages it allocates no more. What it gives out (wire(), attributes, views) is valid
// until the next call that edits; it may be handed to that call.
//
// Reading sees all edits made before. An edit that changes nothing costs one pass and leaves is_changed() false; no
// edit costs nothing.
class MessageEditor {
 public:
  MessageEditor(const MessageEditor&) = delete;
  MessageEditor& operator=(const MessageEditor&) = delete;

  // The first attribute called `key`; nullopt if there is none. Applies nothing.
  [[nodiscard]] std::optional<ValueView> FindAttribute(std::string_view key) const;

  // Each sets the attribute called `key`: in the place of the first of that name (others of that name go), or behind
  // all else if there is none.
  void SetString(std::string_view key, std::string_view value);
  void SetBool(std::string_view key, bool value);
  void SetInt(std::string_view key, int64_t value);
  void SetDouble(std::string_view key, double value);
  void SetBytes(std::string_view key, std::string_view value);
  // `any_value` is an AnyValue in wire form: ValueView::wire(), EncodeArray, EncodeMap. It nests at most kValueDepthMax
  // deep, which is the caller's duty.
  void SetEncoded(std::string_view key, std::string_view any_value);

  // Deletes all attributes called `key`; false if there was none.
  bool DeleteAttribute(std::string_view key);
  // The attribute `from` becomes `to`, in whose place it is set as SetEncoded does; false if there is no `from`.
  bool RenameAttribute(std::string_view from, std::string_view to);
  // Writes all attributes anew: `rewrite` is called for each and writes what becomes of it, which may be nothing
  // (deleted), itself (AttributeWriter::Copy), or others. It must not edit.
  void RewriteAttributes(absl::FunctionRef<void(const AttributeView&, AttributeWriter&)> rewrite);

  // The message with all edits.
  [[nodiscard]] std::string_view wire();
  // True if wire() differs from the message that the editor began with.
  [[nodiscard]] bool is_changed();

 protected:
  explicit MessageEditor(uint32_t attributes_field) : attributes_field_(attributes_field) {}
  ~MessageEditor() = default;

  // Begins with another message, which must outlive the edits.
  void Begin(std::string_view message);

  // Replaces all fields `field` by what `write` writes; by nothing if it writes nothing.
  void SetField(uint32_t field, absl::FunctionRef<void(wire::Writer&)> write);
  // The content of the message field `field`, which stands at most once; a null view if it is absent.
  [[nodiscard]] std::string_view FindMessage(uint32_t field);
  // Writes all fields `field`, which are messages, anew: `rewrite` writes what becomes of each content, or returns
  // false to leave it as it is.
  void RewriteMessages(uint32_t field, absl::FunctionRef<bool(std::string_view content, wire::Writer&)> rewrite);

  // Counts what was applied; views that were made at another count are out of date.
  [[nodiscard]] size_t version() const { return version_; }

 private:
  struct Range {
    size_t begin = 0;
    size_t size = 0;
  };
  // An attribute (field_number = attributes_field_) or another field that gets new bytes.
  struct Edit {
    uint32_t field = 0;
    Range key;          // in scratch_; of an attribute
    Range replacement;  // in scratch_; the whole field, or nothing to delete it
    bool is_written = false;
  };

  [[nodiscard]] std::string_view Scratch(const Range& range) const {
    return std::string_view(scratch_).substr(range.begin, range.size);
  }
  Range Keep(std::string_view bytes);
  Edit& EditOf(uint32_t field, std::string_view key);
  void SetAttribute(std::string_view key, absl::FunctionRef<void(AttributeWriter&)> write);
  Edit* FindEdit(const wire::Cursor& field);
  void Apply();
  void WriteEdited(std::string& out);
  std::string& NextBuffer();
  void Adopt(const std::string& buffer);

  const uint32_t attributes_field_;
  std::string_view original_;
  std::string_view current_;            // original_, or one of buffers_
  std::array<std::string, 2> buffers_;  // the message after edits; they take turns
  std::string scratch_;                 // keys and replacements of edits_
  std::string staging_;                 // one replacement under construction; its source may lie in scratch_
  absl::InlinedVector<Edit, 4> edits_;  // not applied yet
  uint64_t edited_fields_ = 0;          // bit n: edits_ has one of field n
  size_t version_ = 0;
};

}  // namespace spanloom::otlp
