// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with this process, as a page for an operator and, with ?format=json, as JSON for programs: the answer
// of /api/insight/findings. Format: docs/insight.md.

#pragma once

#include <stop_token>
#include <string_view>

#include "base/worker_pool.h"
#include "findings/findings_source.h"
#include "net/http.h"

namespace spanloom::pipeline {

// Thread-safe.
class FindingsPage {
 public:
  // `source` must outlive this.
  explicit FindingsPage(findings::FindingsSource& source);
  // Answers whoever waits, once searches are given up.
  ~FindingsPage();
  FindingsPage(const FindingsPage&) = delete;
  FindingsPage& operator=(const FindingsPage&) = delete;

  // Answers from a thread of its own, as the search may block; at once with 503 if too many wait for it.
  void Respond(const net::HttpRequest& request, net::HttpResponder responder);

  // Ends what is under way: it is answered with 503, as is what comes later.
  void GiveUp() { stop_.request_stop(); }

  // The answer to what is written behind "?". May block, until `stop` is requested. 400 for a format that there is not.
  [[nodiscard]] net::HttpResponse Answer(std::string_view query, const std::stop_token& stop) const;

 private:
  findings::FindingsSource& source_;
  std::stop_source stop_;
  WorkerPool worker_;  // last: what runs in it uses the others
};

}  // namespace spanloom::pipeline
