// SPDX-License-Identifier: Apache-2.0
//
// Answers of our own API, /api/insight/*, as JSON. Format: docs/insight.md.

#pragma once

#include "base/json_writer.h"
#include "query/findings_source.h"
#include "query/status_source.h"

namespace spanloom::query {

void WriteFindings(const FindingsReport& report, JsonWriter& json);
void WriteStatus(const StatusReport& report, JsonWriter& json);

}  // namespace spanloom::query
