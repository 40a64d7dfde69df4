// SPDX-License-Identifier: Apache-2.0
//
// What rides along with a request, as TraceContext::baggage carries it: "name=value;property,name2=value2". Names and
// values are percent-encoded. Specification: W3C Baggage.

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spanloom::sdk {

// The value of the first member called `name`, decoded, without its properties.
[[nodiscard]] std::optional<std::string> BaggageValue(std::string_view baggage, std::string_view name);

// Leaves `value` as the only member called `name`, or none if it is nullopt; others keep their order and properties.
// False, and nothing changes, if `name` is none that W3C allows, or the baggage would exceed its limits
// (kBaggageMembersMax, kBaggageBytesMax).
[[nodiscard]] bool SetBaggageValue(std::string& baggage, std::string_view name, std::optional<std::string_view> value);

}  // namespace spanloom::sdk
