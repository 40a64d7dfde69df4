// SPDX-License-Identifier: Apache-2.0
//
// What a user gives the doctor to read: YAML documents, each of which is told by its keys.

#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "config/node.h"

namespace spanloom::doctor {

struct Document {
  enum class Kind : uint8_t {
    kUnknown,
    kModelService,  // values of the llm-d-modelservice chart
    kRouter,        // values of the inferencepool and llm-d-router charts
    kManifest,      // a Kubernetes object
    kCollector,     // a configuration of the OpenTelemetry Collector
  };
  Kind kind = Kind::kUnknown;
  config::Node root = {};
};

// The documents of a file, a Kubernetes List taken apart; empty ones are left out. kInvalidArgument as
// config::ParseYamlStream, which a chart's template ("{{ ... }}") is too: the message says to render it first.
StatusOr<std::vector<Document>> ReadDocuments(std::string_view text, std::string_view file);

// The value at a path of keys; nullptr if there is none.
[[nodiscard]] const config::Node* At(const config::Node& node, std::initializer_list<std::string_view> path);

// The scalar's text there, or "" if there is none.
[[nodiscard]] std::string_view TextAt(const config::Node& node, std::initializer_list<std::string_view> path);

// As Helm's templates see it: `false`, null, "", 0 and what is not there are false, anything else is true; so the
// string "false" is true.
[[nodiscard]] bool IsTruthy(const config::Node* node);

}  // namespace spanloom::doctor
