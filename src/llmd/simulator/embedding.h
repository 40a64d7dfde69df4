// SPDX-License-Identifier: Apache-2.0
//
// One request for embeddings: each input is prefilled by the engine, and answered with a unit vector that depends on
// its tokens alone.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "llmd/simulator/request_spans.h"
#include "llmd/simulator/serving.h"
#include "llmd/wire/embedding_request.h"

namespace spanloom::llmd::simulator {

// Bound to the connection's loop. Keeps itself alive by its sequences.
class Embedding final : public SequenceListener, public std::enable_shared_from_this<Embedding> {
 public:
  // Starts to answer `http`, whose body was read as `request`; refuses it at once if it can't be answered.
  static void Start(const Serving& serving, const wire::EmbeddingRequest& request, const net::HttpRequest& http,
                    net::HttpResponder responder);

  Embedding(const Serving& serving, const wire::EmbeddingRequest& request, const net::HttpRequest& http,
            net::HttpResponder responder);

  void OnToken(size_t index, int64_t at_ns) override;
  void OnEnd(size_t index, const SequenceReport& report) override;

 private:
  struct Input {
    SequenceId id = 0;
    std::vector<wire::TokenId> tokens = {};
    sdk::Span span = {};
    FrontendTimes times = {};
  };

  Status Prepare();
  void Run(const net::HttpRequest& http);
  [[nodiscard]] double Score(size_t index) const;
  void WriteData(JsonWriter& writer) const;
  void WriteRanking(JsonWriter& writer) const;
  void WriteUsage(JsonWriter& writer) const;
  void Respond();

  const Serving& serving_;
  const wire::EmbeddingRequest request_;
  net::HttpHeaders answer_headers_;
  std::optional<net::HttpResponder> responder_;  // until it is answered
  std::string id_;                               // "embd-..."
  const int64_t arrival_ns_;
  std::vector<Input> inputs_;
  size_t left_ = 0;  // inputs that have not ended
};

}  // namespace spanloom::llmd::simulator
