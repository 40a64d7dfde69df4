// SPDX-License-Identifier: Apache-2.0
//
// Reads the values of a field from a stored span: what Field, Intrinsic and AttributeScope mean is said here, once.

#pragma once

#include <absl/functional/function_ref.h>

#include <cstddef>

#include "otlp/views.h"
#include "store/field.h"
#include "store/scan/text_arena.h"
#include "store/scan/trace_reading.h"
#include "store/value.h"

namespace spanloom::store::scan {

// Takes a value, never kNone; returns false to hear no more.
using CellVisitor = absl::FunctionRef<bool(const Cell&)>;

// Visits the values of `field` that the span at `ordinal` of `trace` has, in the order of its message. Text lies in the
// stored bytes, in constants, in the trace's row, or, where it is in none of them, in `texts`. Attributes called twice
// have the values of both. Returns false if the visitor did.
bool ForEachValue(const Field& field, TraceReading& trace, size_t ordinal, TextArena& texts, CellVisitor visit);

// The values of one attribute value: an array's elements, else itself; none if there is no value.
bool ForEachValue(const otlp::ValueView& value, TextArena& texts, CellVisitor visit);

// Takes an attribute as it stands; returns false to hear no more.
using AttributeVisitor = absl::FunctionRef<bool(const otlp::ValueView&)>;

// Visits the attributes (not the values) that kHasText is about. `field` must be an attribute. The tags of span_tags.h
// are visited as the strings and bools that they are shown as.
bool ForEachAttribute(const Field& field, TraceReading& trace, size_t ordinal, AttributeVisitor visit_attribute,
                      CellVisitor visit_tag);

// True if the values of `field` are the same for all spans of one SpanOrigin.
[[nodiscard]] bool IsOfOrigin(const Field& field);

}  // namespace spanloom::store::scan
