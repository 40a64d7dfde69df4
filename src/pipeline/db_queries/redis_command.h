// SPDX-License-Identifier: Apache-2.0
//
// Commands of Redis and Valkey without their values: for the redaction processor.

#pragma once

#include <string>
#include <string_view>

namespace spanloom::pipeline {

// True if the first word is a command that is known here.
[[nodiscard]] bool BeginsWithRedisCommand(std::string_view text);

// `commands`, one a line, with a ? for each argument that is a value: what SET writes, the members of sets, passwords,
// scripts. Keys, fields, numbers that say how, and the arguments of commands that only read are kept; of a command that
// is not known the first argument is. Arguments may be in double quotes, and then have spaces and line ends in them.
// Space between arguments becomes one. Never longer than `commands`.
[[nodiscard]] std::string MaskRedisValues(std::string_view commands);

}  // namespace spanloom::pipeline
