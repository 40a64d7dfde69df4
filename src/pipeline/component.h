// SPDX-License-Identifier: Apache-2.0
//
// What a pipeline is made of. A receiver takes requests in, processors pass on what they are given, exporters hand it
// to its destination; extensions stand beside them. A batch is passed on with its answer: whoever takes responsibility
// for the spans calls `done`, and the receiver answers its client with that.

#pragma once

#include <absl/functional/any_invocable.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"

namespace spanloom::pipeline {

// Called exactly once, on any thread, perhaps before Consume returns. OK: the spans are in the callee's care. An error
// for which IsRetryable holds: nothing was taken, the same batch may be offered again (after RetryDelay, if given).
// Another error: nothing was taken, and never will be.
using Done = absl::AnyInvocable<void(Status)>;

// Thread-safe.
class Consumer {
 public:
  virtual ~Consumer() = default;
  // Must not block: it is called on loops.
  virtual void Consume(otlp::Batch batch, Done done) = 0;
};

// What an OK of a component promises.
enum class AckGrade : uint8_t {
  kStored,     // the store has the spans, as safely as the store says
  kQueued,     // they are in bounded memory; a crash loses them, a stop drains them within its grace
  kDelivered,  // the destination has answered
};

// A listener that is open.
struct Endpoint {
  std::string serves;   // "OTLP/gRPC"
  std::string address;  // "127.0.0.1:4317", as bound
};

// Start, Stop and the destructor are called from one thread that is not a loop's, in this order.
class Component {
 public:
  virtual ~Component() = default;

  // Takes up work. Errors name the endpoint or file; the engine adds the component.
  virtual Status Start() = 0;

  // Takes in nothing more and brings what it holds to an end, waiting for at most `grace`. Afterwards it calls no
  // consumer, and every `done` it was given has been called. Called only after a Start that returned OK.
  virtual void Stop(std::chrono::milliseconds grace) = 0;

  // Spans that it had answered OK for and gave up because it was stopped. Final once every component is stopped.
  [[nodiscard]] virtual uint64_t undelivered_spans() const { return 0; }

  // What it listens on, between Start and Stop.
  [[nodiscard]] virtual std::vector<Endpoint> endpoints() const { return {}; }
};

class Receiver : public Component {};

class Processor : public Component, public Consumer {
 public:
  // nullopt if its answer is that of the next consumer.
  [[nodiscard]] virtual std::optional<AckGrade> ack_grade() const { return std::nullopt; }
};

class Exporter : public Component, public Consumer {
 public:
  [[nodiscard]] virtual AckGrade ack_grade() const = 0;
};

class Extension : public Component {
 public:
  // True once every component has started, false when the engine begins to stop.
  virtual void SetReady([[maybe_unused]] bool ready) {}
};

}  // namespace spanloom::pipeline
