// SPDX-License-Identifier: Apache-2.0
//
// Findings as JSON. Format: docs/insight.md.

#pragma once

#include "base/json_writer.h"
#include "findings/findings_source.h"

namespace spanloom::findings {

// One object.
void WriteFindings(const FindingsReport& report, JsonWriter& json);

}  // namespace spanloom::findings
