// SPDX-License-Identifier: Apache-2.0
//
// How the KV cache of a prompt comes from the prefill pod to the decode pod: what the two are told in their requests.
// Names are those of llm-d's routing sidecar.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace spanloom::llmd::routing_proxy {

enum class Connector : uint8_t {
  kNixlV2,         // prefill first; its answer says where decode finds the blocks
  kSharedStorage,  // prefill first, unless decode has enough of the prompt in its cache
  kLmCache,        // the same, as its older name and shape
  kSglang,         // both at once; they meet at the prefill pod's bootstrap server
  kMooncake,       // both at once; the prefill pod's bootstrap server is asked for its engine before
};

inline constexpr std::array kConnectors = {Connector::kNixlV2, Connector::kSharedStorage, Connector::kLmCache,
                                           Connector::kSglang, Connector::kMooncake};

// "nixlv2".
[[nodiscard]] std::string_view NameOf(Connector connector);

// kInvalidArgument lists the names.
StatusOr<Connector> ParseConnector(std::string_view name);

}  // namespace spanloom::llmd::routing_proxy
