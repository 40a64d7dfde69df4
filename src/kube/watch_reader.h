// SPDX-License-Identifier: Apache-2.0
//
// What pages of lists and lines of watches say. On a worker thread, since they may be large.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "kube/json.h"
#include "kube/reflector.h"

namespace spanloom::kube {

// Thread-compatible.
class WatchReader {
 public:
  // Where a list stands after a page.
  struct Page {
    std::string resource_version;
    std::string continue_token;  // "": it was the last page
  };

  // `what` begins messages: "GET https://...".
  WatchReader(ReflectorSink& sink, std::string what, std::string permission)
      : sink_(sink), what_(std::move(what)), permission_(std::move(permission)) {}

  // Gives a page's objects to the sink, and tells it where the list begins and ends. kInvalidArgument if the body is no
  // list.
  StatusOr<Page> ReadPage(std::string_view body, bool is_first);

  // Gives the events to the sink. `resource_version` becomes that of the last one. Errors, at the first line that is
  // no event: that of an ERROR event (kOutOfRange: list again), and kInvalidArgument for what cannot be read.
  Status ReadLines(const std::vector<std::string>& lines, std::string& resource_version);

 private:
  Status ReadLine(std::string_view line, std::string& resource_version);

  ReflectorSink& sink_;
  const std::string what_;
  const std::string permission_;
  JsonReader json_;
};

}  // namespace spanloom::kube
