// SPDX-License-Identifier: Apache-2.0
//
// The settings that values files, environments and arguments have in common, and what the programs make of them. Facts:
// the sources of vLLM (vllm/config/observability.py, vllm/tracing/otel.py), of the Gateway API Inference Extension 1.4
// and of llm-d's scheduler and router (their tracing packages).

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/node.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

inline constexpr std::string_view kEndpoint = "http://otel-collector:4317";  // the guide's
inline constexpr std::string_view kSampler = "parentbased_traceidratio";

// Which SDK reads a setting: they differ in what they take.
enum class Reader { kPython, kGo };

// The host of "http://HOST:PORT/...", "dns:///HOST:PORT" or "HOST:PORT", and the port or "".
[[nodiscard]] std::pair<std::string_view, std::string_view> HostAndPort(std::string_view endpoint);

// True if the host of `endpoint`, with or without scheme and port, is the machine or pod itself: localhost, 127.0.0.0/8
// or ::1.
[[nodiscard]] bool IsLocal(std::string_view endpoint);

// How spans are sent to an endpoint.
enum class Wire { kGrpc, kHttp };

// An OTLP endpoint that is written in `node`; `key` is what a fix sets.
void CheckEndpoint(const config::Node& node, std::string_view key, Wire wire, Findings& findings);

// The name of a sampler, of a program that reads it with `reader`.
void CheckSampler(const config::Node& node, std::string_view key, Reader reader, Findings& findings);

// The argument of a sampler: a share in [0, 1].
void CheckSamplerArgument(const config::Node& node, std::string_view key, Findings& findings);

// The level of vLLM's detailed traces: modules, separated by commas.
void CheckDetailedTraces(const config::Node& node, std::string_view key, Findings& findings);

// A container image with a version, "v0.5.0" or "0.5"; versions compare by number.
struct Image {
  std::string_view name;       // the last part of the path: "llm-d-inference-scheduler"
  std::optional<int> version;  // major * 1'000'000 + minor * 1'000 + patch; nullopt if the tag is none
  std::string_view tag;
};
[[nodiscard]] Image ReadImage(std::string_view reference);
[[nodiscard]] constexpr int Version(int major, int minor, int patch = 0) {
  return major * 1'000'000 + minor * 1'000 + patch;
}

// Images that can't make the spans that the guide promises.
void CheckImage(const config::Node& node, Findings& findings);

}  // namespace spanloom::doctor
