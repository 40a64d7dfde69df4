// SPDX-License-Identifier: Apache-2.0

#include "pipeline/db_queries/redis_command.h"

#include <absl/algorithm/container.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/text.h"

namespace spanloom::pipeline {
namespace {

using Words = std::vector<std::string_view>;  // the command and its arguments

enum class Values : uint8_t {
  kOne,    // argument `first`
  kRest,   // all from argument `first` on, shown as one
  kEvery,  // arguments `first`, `first` + `step`, ...
};

// Arguments are counted from 1; 0 is the command.
struct Command {
  std::string_view name;
  Values values = Values::kRest;
  size_t first = 2;
  size_t step = 1;
};

constexpr Command kCommands[] = {
    {"ACL"},
    {"CLIENT"},
    {"CLUSTER"},
    {"COMMAND"},
    {"EVALSHA"},
    {"GEODIST"},
    {"GEOHASH"},
    {"GEOPOS"},
    {"HELLO"},
    {"LPOS"},
    {"LPUSH"},
    {"LPUSHX"},
    {"PFADD"},
    {"PUBLISH"},
    {"RPUSH"},
    {"RPUSHX"},
    {"SADD"},
    {"SCRIPT"},
    {"SMISMEMBER"},
    {"SREM"},
    {"XADD"},
    {"ZMSCORE"},
    {"ZREM"},
    {"APPEND", Values::kOne, 2},
    {"AUTH", Values::kRest, 1},
    {"EVAL", Values::kRest, 1},
    {"GEORADIUSBYMEMBER", Values::kOne, 2},
    {"GETSET", Values::kOne, 2},
    {"HMSET", Values::kEvery, 3, 2},
    {"HSET", Values::kEvery, 3, 2},
    {"HSETNX", Values::kOne, 3},
    {"LINSERT", Values::kRest, 3},
    {"LREM", Values::kOne, 3},
    {"LSET", Values::kOne, 3},
    {"MSET", Values::kEvery, 2, 2},
    {"MSETNX", Values::kEvery, 2, 2},
    {"PSETEX", Values::kOne, 3},
    {"RESTORE", Values::kOne, 3},
    {"SET", Values::kOne, 2},
    {"SETBIT", Values::kOne, 3},
    {"SETEX", Values::kOne, 3},
    {"SETNX", Values::kOne, 2},
    {"SETRANGE", Values::kOne, 3},
    {"SISMEMBER", Values::kOne, 2},
    {"SMOVE", Values::kOne, 3},
    {"ZINCRBY", Values::kOne, 3},
    {"ZRANK", Values::kOne, 2},
    {"ZREVRANK", Values::kOne, 2},
    {"ZSCORE", Values::kOne, 2},
};

// Commands whose arguments are keys, fields, positions, numbers and words of the protocol.
constexpr std::string_view kWithoutValues[] = {
    "BGREWRITEAOF",
    "BGSAVE",
    "BITCOUNT",
    "BITOP",
    "BITPOS",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "COPY",
    "DBSIZE",
    "DECR",
    "DECRBY",
    "DEL",
    "DISCARD",
    "EXEC",
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "FLUSHALL",
    "FLUSHDB",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "HDEL",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HINCRBY",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HSCAN",
    "HSTRLEN",
    "HVALS",
    "INCR",
    "INCRBY",
    "INFO",
    "KEYS",
    "LASTSAVE",
    "LINDEX",
    "LLEN",
    "LMOVE",
    "LPOP",
    "LRANGE",
    "LTRIM",
    "MGET",
    "MOVE",
    "MULTI",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PFCOUNT",
    "PFMERGE",
    "PING",
    "PSUBSCRIBE",
    "PTTL",
    "PUNSUBSCRIBE",
    "QUIT",
    "RANDOMKEY",
    "RENAME",
    "RENAMENX",
    "RPOP",
    "RPOPLPUSH",
    "SAVE",
    "SCAN",
    "SCARD",
    "SDIFF",
    "SDIFFSTORE",
    "SELECT",
    "SINTER",
    "SINTERSTORE",
    "SMEMBERS",
    "SPOP",
    "SRANDMEMBER",
    "SSCAN",
    "STRLEN",
    "SUBSCRIBE",
    "SUNION",
    "SUNIONSTORE",
    "TIME",
    "TOUCH",
    "TTL",
    "TYPE",
    "UNLINK",
    "UNSUBSCRIBE",
    "UNWATCH",
    "WAIT",
    "WATCH",
    "XACK",
    "XDEL",
    "XLEN",
    "XRANGE",
    "XREAD",
    "XREADGROUP",
    "XREVRANGE",
    "XTRIM",
    "ZCARD",
    "ZCOUNT",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZREVRANGE",
    "ZREVRANGEBYSCORE",
    "ZSCAN",
};

bool IsWord(std::string_view text, std::string_view word) {
  return absl::EqualsIgnoreCase(AbslView(text), AbslView(word));
}

// Where the argument that begins `text` ends. A part in quotes may begin it; one that is not closed reaches to the end.
size_t ArgumentSize(std::string_view text) {
  size_t at = 0;
  if (text.starts_with('"')) {
    for (at = 1; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
    }
    at = std::min(at + 1, text.size());
  }
  return std::min(text.find_first_of(" \t\r\n", at), text.size());
}

// The words of the next command, which it is taken from with the line's end.
Words TakeCommand(std::string_view& text) {
  Words words;
  while (!text.empty()) {
    if (text[0] == '\n') {
      text.remove_prefix(1);
      break;
    }
    if (text[0] == ' ' || text[0] == '\t' || text[0] == '\r') {
      text.remove_prefix(1);
      continue;
    }
    const size_t size = ArgumentSize(text);
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return words;
}

void MaskFrom(Words& words, size_t first) {
  if (words.size() <= first) return;
  words.resize(first);
  words.emplace_back("?");
}

void MaskEvery(Words& words, size_t first, size_t step) {
  for (size_t i = first; i < words.size(); i += step) words[i] = "?";
}

// CONFIG SET parameter value: each value; of the others there is none.
void MaskConfig(Words& words) {
  if (words.size() > 1 && IsWord(words[1], "SET")) MaskEvery(words, 3, 2);
}

// BITFIELD key [SET type offset value] ...
void MaskBitfield(Words& words) {
  for (size_t i = 2; i < words.size(); ++i) {
    if (IsWord(words[i], "SET") && i + 3 < words.size()) words[i + 3] = "?";
  }
}

// ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member ..., GEOADD key [NX|XX] [CH] longitude latitude member ...: each
// member, which follows `scores` numbers.
void MaskScored(Words& words, size_t scores) {
  size_t first = 2;
  const auto is_option = [](std::string_view word) {
    return absl::c_any_of(std::initializer_list<std::string_view>{"NX", "XX", "GT", "LT", "CH", "INCR"},
                          [word](std::string_view option) { return IsWord(word, option); });
  };
  while (first < words.size() && is_option(words[first])) ++first;
  MaskEvery(words, first + scores, scores + 1);
}

bool IsWithoutValues(std::string_view name) {
  return absl::c_any_of(kWithoutValues, [name](std::string_view one) { return IsWord(name, one); });
}

// nullptr if it is none, or one of those without values or with rules of their own.
const Command* FindCommand(std::string_view name) {
  const auto* found = absl::c_find_if(kCommands, [name](const Command& one) { return IsWord(name, one.name); });
  return found == std::end(kCommands) ? nullptr : found;
}

void MaskValues(Words& words) {
  const std::string_view name = words[0];
  if (IsWord(name, "CONFIG")) return MaskConfig(words);
  if (IsWord(name, "BITFIELD")) return MaskBitfield(words);
  if (IsWord(name, "ZADD")) return MaskScored(words, 1);
  if (IsWord(name, "GEOADD")) return MaskScored(words, 2);
  if (IsWithoutValues(name)) return;
  const Command* found = FindCommand(name);
  const Command command = found == nullptr ? Command{name} : *found;
  switch (command.values) {
    case Values::kOne:
      if (command.first < words.size()) words[command.first] = "?";
      return;
    case Values::kRest:
      return MaskFrom(words, command.first);
    case Values::kEvery:
      return MaskEvery(words, command.first, command.step);
  }
}

}  // namespace

bool BeginsWithRedisCommand(std::string_view text) {
  const Words words = TakeCommand(text);
  if (words.empty()) return false;
  const auto is_name = [&](std::string_view name) { return IsWord(words[0], name); };
  return is_name("CONFIG") || is_name("BITFIELD") || is_name("ZADD") || is_name("GEOADD") ||
         IsWithoutValues(words[0]) || FindCommand(words[0]) != nullptr;
}

std::string MaskRedisValues(std::string_view commands) {
  std::string out;
  while (!commands.empty()) {
    Words words = TakeCommand(commands);
    if (words.empty()) continue;
    MaskValues(words);
    if (!out.empty()) out += '\n';
    bool is_first = true;
    for (const std::string_view word : words) {
      if (!is_first) out += ' ';
      out += word;
      is_first = false;
    }
  }
  return out;
}

}  // namespace spanloom::pipeline
