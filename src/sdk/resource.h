// SPDX-License-Identifier: Apache-2.0
//
// Who a process of ours is: the attributes of its resource. Specification: OpenTelemetry, "Resource SDK"; semantic
// conventions, "Service" and "Telemetry SDK".

#pragma once

#include <string>

#include "base/rng.h"
#include "sdk/variables.h"

namespace spanloom::sdk {

// A random UUID (RFC 9562, version 4): a service.instance.id.
[[nodiscard]] std::string NewInstanceId(Rng& rng);

// What a component says about itself where nobody says otherwise.
struct ServiceIdentity {
  std::string name = {};         // service.name; not empty
  std::string version = {};      // service.version and telemetry.sdk.version
  std::string instance_id = {};  // service.instance.id; "" leaves it out
};

// `identity`, over it OTEL_RESOURCE_ATTRIBUTES, over that OTEL_SERVICE_NAME. Sorted by name; an empty value takes an
// attribute away. If OTEL_RESOURCE_ATTRIBUTES can't be read, a warning says so and none of it counts, as the
// specification has it.
[[nodiscard]] TextPairs ReadResource(const ServiceIdentity& identity, Variables& variables);

// As a Resource message of OTLP.
[[nodiscard]] std::string EncodeResource(const TextPairs& attributes);

}  // namespace spanloom::sdk
