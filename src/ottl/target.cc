// SPDX-License-Identifier: Apache-2.0

#include "ottl/target.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/text.h"
#include "otlp/trace_state.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;

constexpr int64_t kPaddingMax = 4096;  // elements that setting behind the end of no list makes; guess

Value CannotIndex(Evaluation& e, const Value& value, const Value& key) {
  return e.Fail(StrCat("type ", value.type_name(), " does not support ", key.type_name(), " indexing"));
}

Value WithKeys(Evaluation& e, const Value& value, std::span<const Value> keys, const Value& replacement);

// A map that is missing is made.
Value WithEntry(Evaluation& e, const Value& map, std::span<const Value> keys, const Value& replacement) {
  std::vector<Entry> entries;
  bool is_set = false;
  const std::string_view key = keys.front().text();
  const auto before = map.is_nil() ? std::span<const Entry>() : EntriesOf(map, e.arena());
  for (Entry entry : before) {
    if (entry.key == key && !std::exchange(is_set, true)) {
      entry.value = WithKeys(e, entry.value, keys.subspan(1), replacement);
    }
    entries.push_back(entry);
  }
  if (!is_set) entries.push_back({key, WithKeys(e, {}, keys.subspan(1), replacement)});
  return e.NewMap(entries);
}

// A list that is missing is made, with empty elements up to the index.
Value WithElement(Evaluation& e, const Value& list, std::span<const Value> keys, const Value& replacement) {
  const int64_t index = keys.front().int_value();
  auto at = static_cast<uint64_t>(index);
  std::vector<Value> elements;
  if (!list.is_nil()) {
    const auto before = ElementsOf(list, e.arena());
    elements.assign(before.begin(), before.end());
  } else if (index <= kPaddingMax) {
    at = static_cast<uint64_t>(std::max<int64_t>(index, 0));
    elements.resize(at + 1);
  }
  if (at >= elements.size()) return e.Fail(StrCat("index ", index, " out of bounds"));
  elements[at] = WithKeys(e, elements[at], keys.subspan(1), replacement);
  return e.NewList(elements);
}

// `value` with `replacement` at `keys`; or with what is there already, if the replacement cannot be an attribute.
Value WithKeys(Evaluation& e, const Value& value, std::span<const Value> keys, const Value& replacement) {
  if (keys.empty()) return CanBeAttribute(replacement) ? replacement : value;
  const Value& key = keys.front();
  if (key.is(Kind::kString) && (value.is(Kind::kMap) || value.is_nil())) return WithEntry(e, value, keys, replacement);
  if (key.is(Kind::kInt) && (value.is(Kind::kList) || value.is_nil())) return WithElement(e, value, keys, replacement);
  return CannotIndex(e, value, key);
}

// Writes an attribute by the cheapest way its kind has.
void SetValue(Evaluation& e, otlp::MessageEditor& editor, std::string_view key, const Value& value) {
  switch (value.kind()) {
    case Kind::kString:
      return editor.SetString(key, value.text());
    case Kind::kInt:
      return editor.SetInt(key, value.int_value());
    case Kind::kBool:
      return editor.SetBool(key, value.bool_value());
    case Kind::kDouble:
      return editor.SetDouble(key, value.double_value());
    default:
      break;
  }
  const auto encoded = EncodeValue(value);
  if (encoded) {
    editor.SetEncoded(key, *encoded);
  } else {
    e.Fail(StrCat("a ", value.type_name(), " nests too deeply"));
  }
}

}  // namespace

Value ReadKey(Evaluation& e, const Value& value, const Value& key) {
  if (value.is_nil() && !value.is_unset()) return {};
  if (value.is(Kind::kMap) && key.is(Kind::kString)) return FindEntry(value, key.text()).value_or(Value());
  if (value.is(Kind::kList) && key.is(Kind::kInt)) {
    const auto elements = ElementsOf(value, e.arena());
    const auto index = static_cast<uint64_t>(key.int_value());
    if (index >= elements.size()) return e.Fail(StrCat("index ", key.int_value(), " out of bounds"));
    return elements[index];
  }
  return CannotIndex(e, value, key);
}

Value ReadKeyStrictly(Evaluation& e, const Value& value, const Value& key) {
  if (value.is_nil()) return CannotIndex(e, value, key);
  if (!value.is(Kind::kMap) || !key.is(Kind::kString)) return ReadKey(e, value, key);
  const auto entry = FindEntry(value, key.text());
  return entry ? *entry : e.Fail("key not found in map");
}

void Target::Set(Evaluation& e, const Value& value) const {
  std::vector<Value> keys;
  for (const GetterPtr& key : keys_) {
    keys.push_back(key->Get(e));
    if (e.failed()) return;
  }
  switch (root_.kind) {
    case PathRoot::Kind::kField:
      return root_.field->write(e, value);
    case PathRoot::Kind::kTraceState: {
      if (keys.empty()) return root_.field->write(e, value);
      if (keys.size() > 1 || !keys[0].is(Kind::kString) || !value.is(Kind::kString)) {
        e.Fail("an entry of the trace state has one key and is a string");
        return;
      }
      const auto state = otlp::TraceState::Parse(e.scene().span().trace_state());
      const auto changed = state ? state->With(keys[0].text(), value.text()) : std::nullopt;
      // What is malformed stays, and fails nothing: so does the Collector.
      return changed ? root_.field->write(e, e.NewString(*changed)) : void();
    }
    case PathRoot::Kind::kCache: {
      const Value map = WithKeys(e, e.cache(), keys, value);
      if (!e.failed() && !map.is(Kind::kMap)) e.Fail(StrCat("expected pcommon.Map but got ", map.type_name()));
      if (!e.failed()) e.SetCache(map);
      if (!CanBeAttribute(value)) e.Fail(StrCat("unsupported type ", value.type_name(), " for set operation"));
      return;
    }
    case PathRoot::Kind::kAttributes:
      return keys.empty() ? SetAttributes(e, value) : SetAttribute(e, keys, value);
  }
}

void Target::SetAttribute(Evaluation& e, const std::vector<Value>& keys, const Value& value) const {
  if (!keys[0].is(Kind::kString)) {
    e.Fail(StrCat("attributes have string keys, not ", keys[0].type_name()));
    return;
  }
  Value changed = value;
  if (keys.size() > 1 || !CanBeAttribute(value)) {
    const Value before = ReadAttribute(e.scene(), root_.source, keys[0].text());
    changed = WithKeys(e, before, std::span(keys).subspan(1), value);
  }
  if (!e.failed()) SetValue(e, *AttributesEditor(e.scene(), root_.source), keys[0].text(), changed);
  if (!CanBeAttribute(value)) e.Fail(StrCat("unsupported type ", value.type_name(), " for set operation"));
}

void Target::SetAttributes(Evaluation& e, const Value& map) const {
  if (!map.is(Kind::kMap)) {
    e.Fail(StrCat("expected pcommon.Map but got ", map.type_name()));
    return;
  }
  // The values may lie in the attributes that go.
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const Entry& entry : EntriesOf(map, e.arena())) {
    auto value = EncodeValue(entry.value);
    if (!value) {
      e.Fail(StrCat("a ", entry.value.type_name(), " nests too deeply"));
      return;
    }
    encoded.emplace_back(entry.key, *std::move(value));
  }
  otlp::MessageEditor& editor = *AttributesEditor(e.scene(), root_.source);
  // All of them are written where the first one stands: setting each by itself would look for each among all.
  const bool has_none = CountOf(ReadAttributes(e, root_.source)) == 0;
  if (has_none && !encoded.empty()) editor.SetEncoded(encoded[0].first, encoded[0].second);
  bool is_written = false;
  editor.RewriteAttributes([&](const otlp::AttributeView&, otlp::AttributeWriter& writer) {
    if (std::exchange(is_written, true)) return;
    for (const auto& [key, value] : encoded) writer.Encoded(key, value);
  });
}

std::vector<Entry> Target::GetEntries(Evaluation& e) const {
  const Value map = Get(e);
  if (e.failed()) return {};
  if (!map.is(Kind::kMap)) {
    e.Fail(StrCat("expected pcommon.Map but got ", map.type_name()));
    return {};
  }
  const auto entries = EntriesOf(map, e.arena());
  return {entries.begin(), entries.end()};
}

void Target::KeepEntries(Evaluation& e, absl::FunctionRef<bool(const Entry&)> keeps) const {
  if (root_.kind == PathRoot::Kind::kAttributes && keys_.empty()) {
    AttributesEditor(e.scene(), root_.source)
        ->RewriteAttributes([&](const otlp::AttributeView& attribute, otlp::AttributeWriter& writer) {
          if (keeps({attribute.key(), Value::Of(attribute.value())})) writer.Copy(attribute);
        });
    return;
  }
  std::vector<Entry> kept;
  for (const Entry& entry : GetEntries(e)) {
    if (keeps(entry)) kept.push_back(entry);
  }
  if (!e.failed()) SetEntries(e, kept);
}

}  // namespace spanloom::ottl
