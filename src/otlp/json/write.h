// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON out: a request in protobuf as JSON, by the rules of the OTLP specification ("JSON Protobuf Encoding"):
// lowerCamelCase keys, ids in hexadecimal, enums as numbers, 64-bit integers as strings, bytes in base64, and "NaN",
// "Infinity", "-Infinity" for doubles that JSON cannot say. Fields that have their default value are left out, but an
// attribute value always says its kind. Keys stand in the order of the Collector's files, which have `resource`,
// `scope`, `status`, `value` and `body` in any case, and doubles have its digits; an id of zeros is none.
//
// What JSON cannot say is lost: unknown fields are left out, bytes of a text that are not UTF-8 become U+FFFD, and of a
// NaN only that it is one is kept.
// Everything else is the same request again after TranscodeJson.

#pragma once

#include <string>
#include <string_view>

#include "otlp/batch.h"

namespace spanloom::otlp {

// Appends {"resourceSpans": [...]} with the spans of `batch`, or what it has of another signal. In valid UTF-8, on one
// line.
void WriteJson(const Batch& batch, std::string& out);

}  // namespace spanloom::otlp
