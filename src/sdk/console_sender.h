// SPDX-License-Identifier: Apache-2.0
//
// Writes what the process tells about itself to standard output, in place of sending it.

#pragma once

#include "base/bytes.h"
#include "net/loop.h"
#include "otlp/signal.h"
#include "sdk/batch_exporter.h"

namespace spanloom::sdk {

// Thread-safe. Writes on the workers of `loops`, which must outlive it.
class ConsoleSender {
 public:
  ConsoleSender(net::LoopPool& loops, otlp::Signal signal) : loops_(loops), signal_(signal) {}

  // Writes `request`, an export request of the signal, as a line of OTLP/JSON. `done` is called on a worker, or in this
  // call with kUnavailable if those are busy.
  void Send(const Bytes& request, SendDone done) const;

 private:
  net::LoopPool& loops_;
  const otlp::Signal signal_;
};

}  // namespace spanloom::sdk
