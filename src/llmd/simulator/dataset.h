// SPDX-License-Identifier: Apache-2.0
//
// Answers that a model has given, by the prompts that it gave them to: a data set of llm-d-inference-sim, an SQLite
// file (docs/decisions/0029-answers-of-a-data-set.md). It is read as a whole when the server starts, so that no request
// waits for the disk.

#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/status.h"
#include "llmd/simulator/tokenizer.h"

namespace spanloom::llmd::simulator {

inline constexpr size_t kDatasetBytesMax = size_t{2} << 30;  // of its answers, in memory; guess

// An answer as the model's own tokenizer took it apart.
struct RecordedAnswer {
  std::vector<TokenId> tokens = {};
  std::vector<std::string> texts = {};  // [tokens]
};

// Immutable; thread-safe.
class Dataset {
 public:
  // Reads the table `table` of the file at `path`, whose columns are prompt_hash (SHA-256 of the prompt's token ids, 4
  // bytes each, little-endian), gen_tokens (JSON: {"strings": [...], "numbers": [...]}, or the strings alone) and
  // n_gen_tokens. kInvalidArgument names the file, and what is wrong with it; kResourceExhausted beyond
  // kDatasetBytesMax.
  static StatusOr<std::unique_ptr<Dataset>> Load(const std::string& path, const std::string& table);

  // One of the answers to `prompt`; to one that is not there, any, of at most `tokens_max` tokens if there is one.
  [[nodiscard]] RecordedAnswer Choose(std::span<const TokenId> prompt, int64_t tokens_max, Rng& rng) const;

  [[nodiscard]] size_t size() const { return rows_.size(); }

 private:
  friend struct DatasetReader;
  struct Row {
    size_t begin = 0;  // of its JSON in json_
    uint32_t bytes = 0;
    uint32_t tokens = 0;  // n_gen_tokens
  };

  Dataset() = default;
  [[nodiscard]] uint32_t ChooseRow(std::span<const TokenId> prompt, int64_t tokens_max, Rng& rng) const;

  std::string json_;                                                      // of all answers
  std::vector<Row> rows_;                                                 // the shortest first; at least one
  absl::flat_hash_map<std::string, std::vector<uint32_t>> rows_of_hash_;  // indices of rows_, by the prompt's hash
};

}  // namespace spanloom::llmd::simulator
