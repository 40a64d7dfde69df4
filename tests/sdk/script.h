// SPDX-License-Identifier: Apache-2.0
//
// Spans as a script says, a command a line, fields parted by tabs:
//   extract NAME=VALUE...                     headers of a request; its context is called "remote" from then on
//   start SPAN KIND PARENT NAME               PARENT: another SPAN, "remote", or "-"; KIND: a number of OTLP
//   set SPAN KEY TYPE VALUE                   TYPE: s, i, d, b; S, I, D, B: a list of those, parted by "|"
//   event SPAN NAME [KEY TYPE VALUE]...
//   link SPAN OTHER [KEY TYPE VALUE]...       OTHER: a SPAN or "remote"
//   status SPAN CODE MESSAGE                  CODE: a number of OTLP
//   end SPAN                                  on another thread than it was started on
//   inject SPAN                               prints the headers, NAME=VALUE each, parted by tabs

#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "sdk/tracer.h"

namespace spanloom::sdk {

// Sequence-bound: one thread. What a script gets wrong stops the process.
class Script {
 public:
  explicit Script(const Tracer& tracer) : tracer_(tracer) {}
  void Run(const std::string& line);

 private:
  using Fields = std::vector<std::string>;
  void Extract(const Fields& fields);
  void Start(const Fields& fields);
  void Set(const Fields& fields);
  void End(const std::string& span);
  void PrintHeaders(const std::string& span) const;
  [[nodiscard]] const TraceContext& ContextOf(const std::string& name) const;
  // KEY TYPE VALUE of one value each, from the third field on.
  Attributes AttributesOf(const Fields& fields);
  std::string_view Keep(const std::string& key);

  const Tracer& tracer_;
  TraceContext remote_;
  std::map<std::string, Span> spans_;
  std::deque<std::string> keys_;  // as long as the spans, whose keys these are
};

}  // namespace spanloom::sdk
