// SPDX-License-Identifier: Apache-2.0
//
// Where the values of a field stand in a segment: what store/scan/span_fields.h reads from a span, found for all spans
// of one shape at once.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "store/columnar/segment/segment_index.h"
#include "store/columnar/segment/shape.h"
#include "store/field.h"
#include "store/value.h"

namespace spanloom::store::columnar {

// What the numbers or texts of a slot are as values.
enum class Reading : uint8_t {
  kInt,
  kEnum,  // kInt, of an enum of 32 bits
  kBool,
  kDouble,
  kString,
  kStringIfAny,  // an empty one is no value
  kBytes,
  kSpanId,     // kBytes, 8
  kKindTag,    // the words of span_tags.h for a span kind; some are none
  kStatusTag,  // for a status code
  kErrorTag,   // kBool: whether the status code is an error
};

// One place where some values of a field come from.
struct ValueSource {
  enum class Kind : uint8_t {
    kSlot,      // each row has a value in that slot
    kConstant,  // each row has the same value
    kEmpty,     // each row has the attribute, without a value
    kOrigin,    // what the row's origin has
    kEvents,    // what the row's events have
    kLinks,     // what its links have
    kUnknown,   // cannot be said without the message
  };
  Kind kind = Kind::kUnknown;
  Reading reading = Reading::kInt;  // of kSlot
  uint32_t slot = 0;                // of kSlot
  Cell constant = {};               // of kConstant; its text lives for ever
};

// All sources of `field` in messages of the shape number `shape`, which may be one of events or links. Their values
// together are those of the field.
[[nodiscard]] std::vector<ValueSource> SourcesOf(const Field& field, const SegmentIndex& index, uint32_t shape);

// The same for all shapes of a segment, each worked out when it is first asked for. Thread-compatible. The index must
// outlive it.
class FieldSources {
 public:
  FieldSources(Field field, const SegmentIndex& index)
      : field_(std::move(field)), index_(index), of_shapes_(index.shapes().size()) {}

  [[nodiscard]] const Field& field() const { return field_; }
  [[nodiscard]] const std::vector<ValueSource>& Of(uint32_t shape) {
    if (!of_shapes_[shape]) of_shapes_[shape] = SourcesOf(field_, index_, shape);
    return *of_shapes_[shape];
  }

 private:
  const Field field_;
  const SegmentIndex& index_;
  std::vector<std::optional<std::vector<ValueSource>>> of_shapes_;  // [shapes]; nullopt until asked for
};

// Fields that an origin has values of where a source is kOrigin: what `field` visits of resource and scope.
[[nodiscard]] std::vector<Field> OriginFieldsOf(const Field& field);

// The value of a slot's number; kNone if it is none. `text` is scratch that the cell may view, of kSpanId.
[[nodiscard]] Cell CellOfNumber(Reading reading, uint64_t number, char (&text)[8]);
// The value of a slot's text; kNone if it is none.
[[nodiscard]] Cell CellOfText(Reading reading, std::string_view text);

}  // namespace spanloom::store::columnar
