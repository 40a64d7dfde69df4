// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as a JSON object: it is refused, or comes out as it went in, and can be edited to JSON that is one again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "llmd/wire/json_edit.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using spanloom::llmd::wire::JsonObject;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  auto object = JsonObject::Parse(text);
  if (!object.ok()) return 0;
  CHECK(object->Text() == text);
  object->Set("stream", "false");
  object->Remove("n");
  object->Set("max_tokens", "1");
  const std::string edited = object->Text();
  const auto again = JsonObject::Parse(edited);
  if (!again.ok()) {  // it may have been at the limit
    CHECK(absl::IsResourceExhausted(again.status()));
    return 0;
  }
  CHECK(again->Find("stream") == "false" && again->Find("max_tokens") == "1" && !again->Find("n").has_value());
  CHECK(again->Text() == edited);
  return 0;
}
