// SPDX-License-Identifier: Apache-2.0
//
// The headers by which a scheduler tells the sidecar of a decode pod where a request's other legs are to go, in all
// their versions. Sources: llm-d-inference-scheduler v0.6, llm-d-router of 2026, and the older llm-d-routing-sidecar.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace spanloom::llmd::wire {

// Which prefill pods may be asked: "host:port", several of them by comma or by repeating the header.
inline constexpr std::string_view kPrefillHeader = "x-prefiller-host-port";
inline constexpr std::string_view kPrefillHeaderNew = "x-llm-d-prefiller-host-port";  // router, autumn of 2026
inline constexpr std::string_view kPrefillUrlHeader = "x-prefiller-url";              // before v0.2: "http://host:port"

// Which data-parallel rank of the decode pod: "host:port" of its listener.
inline constexpr std::string_view kDataParallelHeader = "x-data-parallel-host-port";
// Which rank of an engine that has several behind one port.
inline constexpr std::string_view kDataParallelRankHeader = "x-data-parallel-rank";

inline constexpr std::string_view kEncoderHeader = "x-encoder-hosts-ports";
inline constexpr std::string_view kEncoderHeaderNew = "x-llm-d-encoder-hosts-ports";
inline constexpr std::string_view kKvSourceHeader = "x-kv-cache-source-host-port";
inline constexpr std::string_view kKvSourceHeaderNew = "x-llm-d-kv-cache-source-host-port";

inline constexpr std::string_view kRequestIdHeader = "x-request-id";

// True for a header that is meant for the sidecar and goes no further.
[[nodiscard]] bool IsRoutingHeader(std::string_view name);

// The prefill pods that a request names, "host:port" each and without a scheme, in order; empty values are left out.
// Of the names the one that every scheduler overwrites counts first: a client can't forge another next to it.
[[nodiscard]] std::vector<std::string> PrefillTargets(const net::HttpHeaders& headers);

// True if `target` can be connected to: a host of letters, digits, ".-_" or an IPv6 address in brackets, and a port
// from 1 to 65535.
[[nodiscard]] bool IsHostPort(std::string_view target);

}  // namespace spanloom::llmd::wire
