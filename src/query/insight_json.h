// SPDX-License-Identifier: Apache-2.0
//
// What /api/insight/status answers, as JSON. Format: docs/insight.md.

#pragma once

#include "base/json_writer.h"
#include "query/status_source.h"

namespace spanloom::query {

void WriteStatus(const StatusReport& report, JsonWriter& json);

}  // namespace spanloom::query
