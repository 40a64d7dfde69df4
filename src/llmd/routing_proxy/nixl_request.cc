// SPDX-License-Identifier: Apache-2.0

#include "llmd/routing_proxy/nixl_request.h"

#include <utility>

#include "llmd/routing_proxy/sequences.h"

namespace spanloom::llmd::routing_proxy {
namespace {

constexpr std::string_view kTransferParams = "kv_transfer_params";
// What the prefill pod's connector expects of a request whose decode is done elsewhere.
constexpr char kAskForBlocks[] =
    R"({"do_remote_decode":true,"do_remote_prefill":false,"remote_engine_id":null,"remote_block_ids":null,)"
    R"("remote_host":null,"remote_port":null})";

}  // namespace

void NixlRequest::OnObject() {
  if (AsksForSeveralSequences(*api(), object())) return DecodeAlone(kSeveralSequences);
  const auto edit = [one_token = OneToken()](wire::JsonObject& object) {
    object.Set(kTransferParams, kAskForBlocks);
    object.Set("stream", "false");
    object.Remove("stream_options");
    one_token(object);
  };
  Edited(edit, [this](Bytes body) { Prefill(std::move(body)); });
}

void NixlRequest::OnPrefillDone(const net::HttpResponse& answer) {
  const StatusOr<wire::JsonObject> said = wire::JsonObject::Parse(answer.body.view());
  if (!said.ok()) return OnPrefillFailed(answer);
  // Without them decode does all, as with llm-d's sidecar.
  std::string params(said->Find(kTransferParams).value_or(wire::kJsonNull));
  const auto edit = [params = std::move(params)](wire::JsonObject& object) { object.Set(kTransferParams, params); };
  Edited(edit, [this](Bytes body) { Decode(std::move(body)); });
}

}  // namespace spanloom::llmd::routing_proxy
