// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a request and a list of edits: what comes out is valid, shows what a visit of the slice shows, and
// leaves the request as it was; and OTLP/JSON of it is read again. The first byte says how many bytes are edits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "otlp/batch.h"
#include "otlp/json/transcode.h"
#include "otlp/json/write.h"
#include "otlp/request.h"
#include "otlp/testing/digest.h"
#include "otlp/validate.h"

namespace spanloom::otlp {
namespace {

// Edits drawn from bytes; none when they run out.
class Edits {
 public:
  explicit Edits(std::string_view script) : script_(script) {}

  void Run(Slice& slice) {
    slice.DropIf([this](const SpanContext&) { return Next() % 8 == 1; });
    slice.EditResources([this](ResourceEditor& resource) { Attributes(resource); });
    slice.EditScopes([this](ScopeEditor& scope) { Attributes(scope); });
    slice.EditSpans([this](SpanEditContext& context) { Span(context); });
    slice.EditSpans([this](SpanEditContext& context) { Span(context); });
  }

 private:
  uint8_t Next() {
    if (script_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(script_.front());
    script_.remove_prefix(1);
    return byte;
  }

  // A key of the message, or one of two others.
  std::string Key(MessageEditor& editor) {
    const uint8_t wanted = Next();
    std::string key = wanted % 2 == 0 ? "key" : "";
    uint8_t number = 0;
    editor.RewriteAttributes([&](const AttributeView& attribute, AttributeWriter& writer) {
      if (number++ == wanted / 2) key = attribute.key();
      writer.Copy(attribute);
    });
    return key;
  }

  void Attributes(MessageEditor& editor) {
    switch (Next() % 8) {
      case 1:
        return editor.SetInt(Key(editor), Next());
      case 2:
        return editor.SetString(Key(editor), script_.substr(0, Next()));
      case 3:
        editor.DeleteAttribute(Key(editor));
        return;
      case 4:
        editor.RenameAttribute(Key(editor), Key(editor));
        return;
      case 5:
        if (const auto value = editor.FindAttribute(Key(editor))) editor.SetEncoded("copy", value->wire());
        return;
      case 6:
        return editor.RewriteAttributes([this](const AttributeView& attribute, AttributeWriter& writer) {
          if (Next() % 2 == 0) writer.Copy(attribute);
        });
      default:
        return;
    }
  }

  void Span(SpanEditContext& context) {
    SpanEditor& span = context.span();
    Attributes(span);
    Attributes(span);
    switch (Next() % 8) {
      case 1:
        return span.SetName(span.view().trace_state());
      case 2:
        return span.SetStatusMessage(span.view().name());
      case 3:
        return span.SetStatusCode(static_cast<StatusCode>(Next()));
      case 4:
        return span.EditEvents([this](EventEditor& event) {
          Attributes(event);
          return Next() % 4 == 1 ? Fate::kDrop : Fate::kKeep;
        });
      case 5:
        return span.EditLinks([this](LinkEditor& link) {
          Attributes(link);
          return Next() % 4 == 1 ? Fate::kDrop : Fate::kKeep;
        });
      case 6:
        return Attributes(context.resource());
      case 7:
        context.scope_schema_url().Set(script_.substr(0, Next()));
        context.resource_schema_url().Set(context.context().scope_schema_url);
        return span.SetParentSpanId(context.context().span.span_id());
      default:
        return;
    }
  }

  std::string_view script_;
};

// What a visit shows, message by message.
std::string Shown(const Slice& slice) {
  std::string shown;
  slice.ForEach([&](const SpanContext& context) {
    for (const std::string_view wire : {context.resource.wire(), context.resource_schema_url, context.scope.wire(),
                                        context.scope_schema_url, context.span.wire()}) {
      shown.append(std::to_string(wire.size())).append(wire);
    }
  });
  return shown;
}

void Edit(std::string_view script, std::string_view request) {
  const auto received = ReadTraces(Bytes::CopyOf(request));
  if (!received.ok()) return;
  CHECK(!ValidateTraces(received->wire().view())->has_split_messages);
  const std::string before(received->wire().view());
  Slice slice = *received;
  Edits(script).Run(slice);
  CHECK(received->wire().view() == before && received->is_whole());

  std::string copy;
  slice.AppendTo(copy);
  const auto again = ReadTraces(Bytes::CopyOf(copy));
  CHECK(again.ok() && again->span_count() == slice.span_count());
  CHECK(again->wire().view() == copy);
  CHECK(Shown(*again) == Shown(slice));
  Digest().Add(TracesView(copy));

  std::string json;
  WriteJson(Batch(slice), json);
  const auto transcoded = TranscodeTracesJson(json);
  CHECK(transcoded.ok() && ValidateTraces(*transcoded)->spans == slice.span_count());
}

}  // namespace
}  // namespace spanloom::otlp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  if (input.empty()) return 0;
  const std::string_view script = input.substr(1, static_cast<uint8_t>(input[0]));
  spanloom::otlp::Edit(script, input.substr(1 + script.size()));
  return 0;
}
