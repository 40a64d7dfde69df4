// SPDX-License-Identifier: Apache-2.0

#include "llmd/simulator/dataset.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kube/json.h"

namespace spanloom::llmd::simulator {
namespace {

using simdjson::dom::element;

constexpr size_t kAnswerBytesMax = 16 << 20;  // JSON of one answer; guess

struct DatabaseCloser {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
using Database = std::unique_ptr<sqlite3, DatabaseCloser>;

struct StatementFinalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementFinalizer>;

Status Wrong(const std::string& path, std::string_view what) {
  return absl::InvalidArgumentError(StrCat("--dataset-path ", path, ": ", what));
}

StatusOr<Database> Open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
  Database database(raw);
  if (code == SQLITE_OK) return database;
  return Wrong(path, StrCat(sqlite3_errstr(code), "; is the file there, and may it be read?"));
}

// Names of tables can't be parameters of a statement.
std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

StatusOr<Statement> Select(const std::string& path, sqlite3* database, const std::string& table) {
  const std::string query =
      StrCat("SELECT prompt_hash, gen_tokens, n_gen_tokens FROM ", Quoted(table), " ORDER BY n_gen_tokens, id");
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(database, query.c_str(), -1, &raw, nullptr);
  Statement statement(raw);
  if (code == SQLITE_OK) return statement;
  return Wrong(path, StrCat(sqlite3_errmsg(database), "; the table \"", table,
                            "\" (--dataset-table-name) is to have id, prompt_hash, gen_tokens and n_gen_tokens"));
}

std::string_view Content(sqlite3_stmt* row, int column) {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(row, column))};
}

// The texts of an answer's tokens, and their ids if they are there; null lists if `json` is no answer.
struct AnswerLists {
  simdjson::dom::array texts;
  simdjson::dom::array ids;
  bool has_texts = false;
  bool has_ids = false;
};

AnswerLists ListsOf(const element& json) {
  AnswerLists lists;
  if (json.get(lists.texts) == simdjson::SUCCESS) {
    lists.has_texts = true;
    return lists;
  }
  lists.has_texts = json["strings"].get(lists.texts) == simdjson::SUCCESS;
  lists.has_ids =
      json["numbers"].get(lists.ids) == simdjson::SUCCESS && lists.has_texts && lists.ids.size() == lists.texts.size();
  return lists;
}

}  // namespace

// Reads one row after the other into what is returned at the end.
struct DatasetReader {
  const std::string& path;
  Dataset& dataset;
  kube::JsonReader reader = {};

  Status Add(std::string_view hash, std::string_view json, int64_t tokens) {
    const auto read = json.size() <= kAnswerBytesMax ? reader.Read(json) : absl::InvalidArgumentError("is too long");
    const AnswerLists lists = read.ok() ? ListsOf(*read) : AnswerLists();
    if (!lists.has_texts) {
      return Wrong(path, StrCat("gen_tokens of the row ", dataset.rows_.size() + 1,
                                " in order of n_gen_tokens is to be {\"strings\": [...], \"numbers\": [...]}"));
    }
    if (dataset.json_.size() + json.size() > kDatasetBytesMax) {
      return absl::ResourceExhaustedError(StrCat("--dataset-path ", path, ": its answers have more than ",
                                                 kDatasetBytesMax, " bytes, which is the limit; use a part of them"));
    }
    dataset.rows_of_hash_[std::string(hash)].push_back(static_cast<uint32_t>(dataset.rows_.size()));
    dataset.rows_.push_back({dataset.json_.size(), static_cast<uint32_t>(json.size()),
                             static_cast<uint32_t>(std::clamp<int64_t>(tokens, 0, UINT32_MAX))});
    dataset.json_ += json;
    return absl::OkStatus();
  }
};

StatusOr<std::unique_ptr<Dataset>> Dataset::Load(const std::string& path, const std::string& table) {
  ASSIGN_OR_RETURN(const Database database, Open(path));
  ASSIGN_OR_RETURN(const Statement rows, Select(path, database.get(), table));
  std::unique_ptr<Dataset> dataset(new Dataset());
  DatasetReader reader{path, *dataset};
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(rows.get())) == SQLITE_ROW) {
    const int64_t tokens = sqlite3_column_int64(rows.get(), 2);
    RETURN_IF_ERROR(reader.Add(Content(rows.get(), 0), Content(rows.get(), 1), tokens));
  }
  if (code != SQLITE_DONE) return Wrong(path, sqlite3_errmsg(database.get()));
  if (dataset->rows_.empty()) return Wrong(path, StrCat("there is no answer in the table \"", table, "\""));
  return dataset;
}

uint32_t Dataset::ChooseRow(std::span<const TokenId> prompt, int64_t tokens_max, Rng& rng) const {
  const auto found = rows_of_hash_.find(wire::HashPrompt(prompt));
  if (found != rows_of_hash_.end()) return found->second[rng.Below(found->second.size())];
  const auto is_shorter = [](int64_t tokens, const Row& row) { return tokens < row.tokens; };
  const auto end = std::upper_bound(rows_.begin(), rows_.end(), tokens_max, is_shorter);
  const auto fitting = static_cast<size_t>(end - rows_.begin());
  return static_cast<uint32_t>(rng.Below(fitting > 0 ? fitting : rows_.size()));
}

RecordedAnswer Dataset::Choose(std::span<const TokenId> prompt, int64_t tokens_max, Rng& rng) const {
  const Row& row = rows_[ChooseRow(prompt, tokens_max, rng)];
  thread_local kube::JsonReader reader;
  const auto json = reader.Read(std::string_view(json_).substr(row.begin, row.bytes));
  RecordedAnswer answer;
  if (!json.ok()) return answer;  // without memory for it; what was loaded is JSON
  const AnswerLists lists = ListsOf(*json);
  for (const element each : lists.texts) {
    std::string_view text;
    if (each.get(text) == simdjson::SUCCESS) answer.texts.emplace_back(text);
  }
  if (lists.has_ids) {
    for (const element each : lists.ids) {
      uint64_t id = 0;
      answer.tokens.push_back(each.get(id) == simdjson::SUCCESS ? static_cast<TokenId>(id) : 0);
    }
  }
  // Of texts alone, the stand-in for a tokenizer has to say what they may be.
  for (size_t i = answer.tokens.size(); i < answer.texts.size(); ++i) {
    const std::vector<TokenId> tokens = Tokenize(answer.texts[i]);
    answer.tokens.push_back(tokens.empty() ? 0 : tokens.front());
  }
  answer.tokens.resize(answer.texts.size());
  return answer;
}

}  // namespace spanloom::llmd::simulator
