// SPDX-License-Identifier: Apache-2.0
//
// What this binary is built of.

#pragma once

#include <string>

namespace spanloom::app {

// "0.1.0".
const char* Version();

// The day of the commit, "2026-01-31"; "" if it is not known.
const char* VersionDate();

// Version, commit, compiler and libraries, a line each.
std::string VersionText();

}  // namespace spanloom::app
