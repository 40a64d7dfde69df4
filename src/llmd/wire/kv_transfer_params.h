// SPDX-License-Identifier: Apache-2.0
//
// `kv_transfer_params`: what a prefill and a decode engine tell each other, through the proxy between them, about
// blocks of the KV cache that are to be fetched. The fields of vLLM's NixlConnector and MooncakeConnector.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/status.h"

namespace spanloom::llmd::wire {

// A value. Of a request to prefill only `do_remote_decode` is set, of one to decode all that prefill answered.
struct KvTransferParams {
  bool do_remote_decode = false;                  // keep the blocks: another engine decodes
  bool do_remote_prefill = false;                 // fetch the blocks: another engine has prefilled
  std::string remote_engine_id = {};              // "" where JSON has null, as in all texts below
  std::string remote_request_id = {};             // the id that prefill's engine knows the request by
  std::vector<int64_t> remote_block_ids = {};     // of the first KV group
  std::string remote_host = {};                   // of the side channel
  int64_t remote_port = 0;                        // 0 where JSON has null
  int64_t tp_size = 1;                            // tensor parallel ranks of prefill; it has no others
  std::optional<int64_t> remote_num_tokens = {};  // that the blocks hold
  std::optional<int64_t> cached_tokens = {};      // remote_prefill_cached_tokens: that prefill had in its cache
  std::string transfer_id = {};                   // Mooncake's name of a transfer
  std::string remote_bootstrap_addr = {};         // Mooncake's side channel, "host:port"
};

// Reads one JSON object. Unknown fields are left out, null is as good as absent, and block ids may be a list or a list
// of lists, one a KV group, of which the first counts. kInvalidArgument if `json` is no object, or a field has another
// type.
StatusOr<KvTransferParams> ParseKvTransferParams(std::string_view json);

// Writes the object that prefill answers with NIXL: `params` with do_remote_prefill, its blocks and its side channel.
void WriteKvTransferParams(const KvTransferParams& params, JsonWriter& writer);

}  // namespace spanloom::llmd::wire
