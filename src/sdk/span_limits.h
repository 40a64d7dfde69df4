// SPDX-License-Identifier: Apache-2.0
//
// How much a span may hold. Specification: OpenTelemetry, "Span Limits" and "Attribute Limits"; the defaults are its
// own.

#pragma once

#include <cstddef>
#include <limits>

namespace spanloom::sdk {

// What comes beyond a count is left out and counted in the span; a text beyond its length is cut. Lengths are in
// characters of Unicode, and hold for each text of Span::SetStrings too.
struct SpanLimits {
  size_t attributes = 128;        // OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT
  size_t events = 128;            // OTEL_SPAN_EVENT_COUNT_LIMIT
  size_t links = 128;             // OTEL_SPAN_LINK_COUNT_LIMIT
  size_t event_attributes = 128;  // of one event; OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT
  size_t link_attributes = 128;   // of one link; OTEL_LINK_ATTRIBUTE_COUNT_LIMIT
  size_t text_length =
      std::numeric_limits<size_t>::max();  // of a span's attributes; OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT
  size_t other_text_length =
      std::numeric_limits<size_t>::max();  // of events and links; OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT
};

}  // namespace spanloom::sdk
