// SPDX-License-Identifier: Apache-2.0
//
// What a pipeline is made of. A receiver takes requests in, processors change or hold them, exporters hand them to
// their destination, connectors hand them to other pipelines; extensions stand beside them. How the contracts carry
// the grades of acknowledgement: docs/decisions/0013-the-pipeline-contract.md.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "otlp/batch.h"
#include "pipeline/component_id.h"
#include "pipeline/consumer.h"
#include "pipeline/grouping.h"

namespace spanloom::pipeline {

class ClientAuthenticator;
struct QueueStorage;
class ServerAuthenticator;

// What an OK of a component promises.
enum class AckGrade : uint8_t {
  kStored,     // the store has the spans, as safely as the store says
  kQueued,     // they are in bounded memory; a crash loses them, a stop drains them within its grace
  kDelivered,  // the destination has answered
};

// What a component may hold after it has answered OK, and lose with the process. Unset: no limit of that kind.
struct HoldLimits {
  std::optional<uint64_t> requests = std::nullopt;
  std::optional<uint64_t> spans = std::nullopt;
  std::optional<uint64_t> bytes = std::nullopt;
  std::optional<std::chrono::nanoseconds> time = std::nullopt;  // while what is behind it takes what it is given
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
  // consumer, and every `done` it was given has been called; what is offered to it still is refused with kUnavailable.
  // Called only after a Start that returned OK.
  virtual void Stop(std::chrono::milliseconds grace) = 0;

  // Ends the grace of a Stop that is under way or to come; where nothing waits long, nothing happens. Thread-safe,
  // between Start and the destructor.
  virtual void HurryStop() {}

  // Spans that it had answered OK for and gave up because it was stopped. Final once every component is stopped.
  [[nodiscard]] virtual uint64_t undelivered_spans() const { return 0; }

  // What it listens on, between Start and Stop.
  [[nodiscard]] virtual std::vector<Endpoint> endpoints() const { return {}; }

  // The addresses that Start will bind and no other component can have at the same time, "HOST:PORT" as configured.
  // Without those whose port is picked.
  [[nodiscard]] virtual std::vector<std::string> claims() const { return {}; }
};

class Receiver : public Component {};

// Either a TransformProcessor or a HoldingProcessor.
class Processor : public Component {
 private:
  Processor() = default;
  friend class TransformProcessor;
  friend class HoldingProcessor;
};

// A processor that is done with a batch when its call returns: it drops spans and edits them in place. What it does
// with a span must not depend on the other spans of the batch, because a batch may be grouped before or after it.
// Counting, reserving and answering are the engine's.
class TransformProcessor : public Processor {
 public:
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}

  // False if it leaves what it is given as it is.
  [[nodiscard]] virtual bool changes_items() const { return true; }

  // Whether a batch may come in at all: asked once for each offer, before room is reserved behind it and before
  // anything of it is processed. An error refuses it: kUnavailable if it may be offered again. Thread-safe; must not
  // block.
  virtual Status Admit([[maybe_unused]] const otlp::Batch& batch) { return absl::OkStatus(); }

  // Thread-safe; must not block, nor keep views of the batch. An error refuses the batch: kUnavailable if it may be
  // offered again.
  virtual Status Process(otlp::Batch& batch) = 0;
};

// A processor that answers for spans and passes them on later. Made with the consumer that it passes them on to. What
// it holds is bounded, and shown as spanloom_processor_held_spans{processor,pipeline}.
class HoldingProcessor : public Processor, public Consumer {
 public:
  // True if it decides which spans go on. False if all do, only together with others: then it may stand aside where
  // the destination groups for itself.
  [[nodiscard]] virtual bool selects() const = 0;
  [[nodiscard]] virtual HoldLimits hold_limits() const = 0;
  // Of one that does not select: how it brings spans together, for who does it in its place where it stands aside.
  [[nodiscard]] virtual std::optional<Grouping> grouping() const { return std::nullopt; }
};

// The end of pipelines and the beginning of others. Either a PassingConnector or a ChoosingConnector.
class Connector : public Component {
 private:
  Connector() = default;
  friend class PassingConnector;
  friend class ChoosingConnector;
};

// A connector that feeds all pipelines behind it alike. Made with the consumer that is the join of them.
class PassingConnector : public Connector, public Consumer {
 public:
  // True if it passes on something else than what it is given, as one that makes metrics of spans. Its OK then says
  // nothing of the spans: beside other destinations it decides nothing, and is offered what they have taken.
  [[nodiscard]] virtual bool derives() const { return false; }
  // Of one that derives: what it may lose with the process.
  [[nodiscard]] virtual HoldLimits hold_limits() const { return {}; }
};

// The spans of a batch that go one of a connector's ways.
struct WayShare {
  size_t way = 0;  // index in ways()
  otlp::Batch batch = {};
  bool is_extra = false;  // each of its spans is in another share that is not extra: losing it loses a copy
};

// Which spans of a batch go which way. A span may be in several shares.
struct WayShares {
  std::vector<WayShare> shares = {};  // at most one a way, without empty ones
  size_t unrouted_spans = 0;          // that are in none
};

// A connector that says of each span which of the pipelines behind it get it. Sending them there, reserving, counting
// and answering are the engine's: pipeline/junction.h. It holds nothing.
class ChoosingConnector : public Connector {
 public:
  Status Start() override { return absl::OkStatus(); }
  void Stop(std::chrono::milliseconds) override {}

  // [ways] the pipelines of each way, not empty; all begin with this connector. Does not change. They are those that
  // the options name (PipelineReference), which have been checked.
  [[nodiscard]] virtual const std::vector<std::vector<ComponentId>>& ways() const = 0;

  // Thread-safe; must not block, nor copy bytes of spans that it does not edit. An error refuses the batch:
  // kUnavailable if it may be offered again.
  virtual StatusOr<WayShares> Choose(const otlp::Batch& batch) = 0;
};

class Exporter : public Component, public Consumer {
 public:
  [[nodiscard]] virtual AckGrade ack_grade() const = 0;
  // Of kStored: how safe the spans are, in a few words. "in memory, lost with this process".
  [[nodiscard]] virtual std::string safety() const { return ""; }
  // Of kQueued.
  [[nodiscard]] virtual HoldLimits hold_limits() const { return {}; }
  // Of kStored: how a processor that stands aside in front of it would have grouped; nullopt if there is none. Spans
  // may be brought together so once they are stored. Called before the first batch, and again when that changes.
  // Thread-safe.
  virtual void GroupAs([[maybe_unused]] const std::optional<Grouping>& grouping) {}
};

class Extension : public Component {
 public:
  // What it is to receivers and exporters whose auth names it, from its construction on; null if it is not that.
  [[nodiscard]] virtual std::shared_ptr<ServerAuthenticator> server_authenticator() const { return nullptr; }
  [[nodiscard]] virtual std::shared_ptr<ClientAuthenticator> client_authenticator() const { return nullptr; }
  [[nodiscard]] virtual std::shared_ptr<const QueueStorage> queue_storage() const { return nullptr; }

  // True once every component has started, false when the engine begins to stop.
  virtual void SetReady([[maybe_unused]] bool ready) {}
};

}  // namespace spanloom::pipeline
