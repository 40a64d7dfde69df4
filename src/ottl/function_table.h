// SPDX-License-Identifier: Apache-2.0
//
// All converters and editors there are.

#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ottl/function.h"

namespace spanloom::ottl {

// The families, each defined in converters/ or editors/ in the file of its name.
[[nodiscard]] std::span<const Function> TypeConverters();
[[nodiscard]] std::span<const Function> TextConverters();
[[nodiscard]] std::span<const Function> ListConverters();
[[nodiscard]] std::span<const Function> ParseConverters();
[[nodiscard]] std::span<const Function> KeyValueConverters();
[[nodiscard]] std::span<const Function> CsvConverters();
[[nodiscard]] std::span<const Function> ExtractConverters();
[[nodiscard]] std::span<const Function> TimeConverters();
[[nodiscard]] std::span<const Function> HashConverters();
[[nodiscard]] std::span<const Function> EncodingConverters();
[[nodiscard]] std::span<const Function> AddressConverters();
[[nodiscard]] std::span<const Function> NumberConverters();
[[nodiscard]] std::span<const Function> XmlConverters();
[[nodiscard]] std::span<const Function> XPathConverters();
[[nodiscard]] std::span<const Function> UserAgentConverters();
[[nodiscard]] std::span<const Function> ValueEditors();
[[nodiscard]] std::span<const Function> MapEditors();
[[nodiscard]] std::span<const Function> ReplaceEditors();
[[nodiscard]] std::span<const Function> SpanNameEditors();

// All of them.
[[nodiscard]] std::span<const std::span<const Function>> FunctionFamilies();

// nullptr if there is none. The result lives for ever.
[[nodiscard]] const Function* FindConverter(std::string_view name);
[[nodiscard]] const Function* FindEditor(std::string_view name);

}  // namespace spanloom::ottl
