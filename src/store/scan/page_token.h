// SPDX-License-Identifier: Apache-2.0
//
// Where a page of rows ended, as the text that RowPage::next is.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "store/value.h"

namespace spanloom::store::scan {

// A row's place in an order: by the column's first value, rows without one last, then by key.
struct RowPlace {
  Value value = {};
  std::string key = {};
};

// True if `a` comes before `b`.
[[nodiscard]] bool ComesBefore(const RowPlace& a, const RowPlace& b, bool is_descending);

// `column` and `is_descending` are those of the query.
[[nodiscard]] std::string EncodePageToken(const RowPlace& last, uint8_t column, bool is_descending);
// kInvalidArgument if it is not a token, or one of another order.
StatusOr<RowPlace> DecodePageToken(std::string_view token, uint8_t column, bool is_descending);

}  // namespace spanloom::store::scan
