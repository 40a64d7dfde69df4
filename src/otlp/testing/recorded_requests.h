// SPDX-License-Identifier: Apache-2.0
//
// For tests: the export requests of tests/data/recorded, as real software sent them, with the span counts of their
// index.

#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/testing/test_data.h"

namespace spanloom::otlp {

struct RecordedRequest {
  std::string name;  // "sdk-go-grpc/001-go-shop.pb"
  std::string body;
  size_t spans = 0;
};

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file.is_open());
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// What follows `"key": ` in a line of the index, up to a delimiter.
inline std::string IndexField(const std::string& line, const std::string& key) {
  const size_t begin = line.find("\"" + key + "\": ") + key.size() + 4;
  const std::string field = line.substr(begin, line.find_first_of(",}", begin) - begin);
  return field.front() == '"' ? field.substr(1, field.size() - 2) : field;
}

// All requests whose file name ends in `extension` (".pb" or ".json"), ordered by name. Fails the test if there are
// none.
inline std::vector<RecordedRequest> ReadRecordedRequests(const std::string& extension) {
  std::vector<RecordedRequest> requests;
  for (const auto& set : std::filesystem::directory_iterator(TestData() / "recorded")) {
    std::ifstream index(set.path() / "index.jsonl");
    for (std::string line; std::getline(index, line);) {
      const std::string file = IndexField(line, "file");
      if (!file.ends_with(extension)) continue;
      requests.push_back({.name = set.path().filename().string() + "/" + file,
                          .body = ReadFile(set.path() / file),
                          .spans = std::strtoull(IndexField(line, "spans").c_str(), nullptr, 10)});
    }
  }
  CHECK(!requests.empty());
  std::sort(requests.begin(), requests.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return requests;
}

}  // namespace spanloom::otlp
