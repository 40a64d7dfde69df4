// SPDX-License-Identifier: Apache-2.0
//
// Protobuf allows a message that may stand once in its parent (a resource, scope, status or attribute value) to be
// written in several parts, which the reader merges. No OTLP exporter is known to do so, but a reader that takes the
// last part only would lose what others see. Such a request is put together once, at the door (request.h), so that
// views never meet the parts. Specification: protobuf.dev, "Encoding", "Last One Wins".

#pragma once

#include <string>
#include <string_view>

namespace spanloom::otlp {

// `wire` with the parts of each such message joined at the place of the first: repeated fields of all parts follow one
// another, of scalars the last one counts, and of an AnyValue the last kind of value. Everything else keeps its bytes
// and order, unknown fields included. `wire` must have passed ValidateTraces; so does the result, which has the same
// spans and no split messages, and is not longer than `wire`. Besides the result, it holds at most 8 bytes for each
// byte of `wire`.
[[nodiscard]] std::string MergeSplitMessages(std::string_view wire);

}  // namespace spanloom::otlp
