// SPDX-License-Identifier: Apache-2.0
//
// Masks SQL of any bytes, in every dialect: the first byte says which. What comes out must be no longer, and must not
// change when it is masked again.

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "base/check.h"
#include "pipeline/db_queries/sql_text.h"

namespace spanloom::pipeline {
namespace {

void Mask(std::string_view sql, std::string_view system) {
  const SqlDialect dialect = SqlDialect::Of(system);
  const std::string masked = MaskSqlLiterals(sql, dialect);
  CHECK(masked.size() <= sql.size());
  CHECK(MaskSqlLiterals(masked, dialect) == masked);
}

}  // namespace
}  // namespace spanloom::pipeline

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kSystems[] = {"", "mysql", "postgresql", "sqlite", "mssql", "oracle", "clickhouse"};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  spanloom::pipeline::Mask(text.substr(1), kSystems[data[0] % std::size(kSystems)]);
  return 0;
}
