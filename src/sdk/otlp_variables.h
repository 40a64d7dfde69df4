// SPDX-License-Identifier: Apache-2.0
//
// Where spans are sent to, by OTEL_EXPORTER_OTLP_* and OTEL_EXPORTER_OTLP_TRACES_*, which goes before. Specification:
// OpenTelemetry, "OpenTelemetry Protocol Exporter".

#pragma once

#include "base/status.h"
#include "sdk/otlp_sender.h"
#include "sdk/variables.h"

namespace spanloom::sdk {

// The default is http://localhost:4317 by gRPC, the port that vLLM and llm-d send to; http/protobuf goes to
// http://localhost:4318/v1/traces. kInvalidArgument names the variable, and its value unless that may be a secret.
// What is allowed but looks like a mistake is a warning: docs/sdk.md lists them.
StatusOr<OtlpSenderOptions> ReadOtlpVariables(Variables& variables);

}  // namespace spanloom::sdk
