// SPDX-License-Identifier: Apache-2.0

#include "pipeline/receivers/otlp.h"

#include <absl/algorithm/container.h>
#include <absl/base/call_once.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "net/host_port.h"
#include "otlp/batch.h"
#include "otlp/json/transcode.h"
#include "otlp/request.h"
#include "pipeline/call_metrics.h"
#include "pipeline/log_limiter.h"
#include "pipeline/receivers/otlp_answer.h"
#include "pipeline/receivers/request_trace.h"
#include "pipeline/signal_switch.h"

namespace spanloom::pipeline {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGrpcTransport = "grpc";
constexpr std::string_view kHttpTransport = "http";
constexpr uint16_t kGrpcPort = 4317;
constexpr uint16_t kHttpPort = 4318;

StatusOr<Bytes> AsProtobuf(otlp::Signal signal, OtlpEncoding encoding, Bytes body) {
  if (encoding == OtlpEncoding::kProtobuf) return body;
  ASSIGN_OR_RETURN(std::string message, otlp::TranscodeJson(signal, body.view()));
  return Bytes(std::move(message));
}

constexpr ComponentDoc kDoc = {
    .words =
        "Takes spans, metrics and logs over OTLP: gRPC, and HTTP with protobuf or JSON. Both protocols may share one "
        "endpoint. What no pipeline of its signal asks for is answered UNIMPLEMENTED or 404.",
    .example = R"(receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
        max_recv_msg_size_mib: 16
      http:
        endpoint: 0.0.0.0:4318
)",
};

net::HttpResponse RefusalOf(const Status& status, const net::HttpRequest& request) {
  const auto encoding = EncodingOf(request.headers.Get("content-type"));
  return OtlpResponse(status, encoding.value_or(OtlpEncoding::kJson));
}

constexpr std::string_view kRefusedMetric = "spanloom_receiver_refused_requests";
constexpr std::string_view kRefusedHelp = "Requests that were refused unread, by cause.";

Admittance::Refusals RefusalsOf(const std::string& receiver, const std::string& transport) {
  return {.metric = kRefusedMetric,
          .help = kRefusedHelp,
          .labels = {{"receiver", receiver}, {"transport", transport}},
          .answer = RefusalOf};
}

Status GrpcAnswer(const Status& status, otlp::Signal signal) {
  if (!IsUnwantedSignal(status)) return status;
  const std::string_view method = otlp::ExportMethod(signal);
  return absl::UnimplementedError(StrCat("unknown service ", method.substr(1, method.rfind('/') - 1)));
}

}  // namespace

void KeepaliveEnforcementOptions::Declare(config::OptionsReader& r) {
  r.Field("min_time", min_time, "Shortest time between two pings of a client; one that pings more often is sent away.");
  r.Field("permit_without_stream", permit_without_stream, "Whether a client may ping while it has no call under way.");
}

void KeepaliveOptions::Declare(config::OptionsReader& r) {
  r.Field("enforcement_policy", enforcement_policy, "How often clients may ping.");
  r.Field("server_parameters", server_parameters, "How long connections live, and when silent clients are pinged.");
}

void KeepaliveParametersOptions::Declare(config::OptionsReader& r) {
  r.Field("max_connection_idle", max_connection_idle,
          "A connection without a call for this long is sent away; 0 means never.");
  r.Field("max_connection_age", max_connection_age,
          "A connection is sent away after this, give or take 10 %; 0 means never.");
  r.Field("max_connection_age_grace", max_connection_age_grace,
          "How long the calls of a connection that is sent away for its age may take; 0 means for ever.");
  r.Field("time", time, "A client that is silent for this long is pinged; 0 means 2h.");
  r.Field("timeout", timeout, "A client that does not answer a ping for this long is cut off; 0 means 20s.");
}

void OtlpGrpcOptions::Declare(config::OptionsReader& r) {
  r.Field("endpoint", endpoint, "Address to listen on, HOST:PORT or unix:/PATH; port 4317 if it is left out.");
  DeclareTransport(r, transport);
  r.Mebibytes("max_recv_msg_size_mib", message_bytes_max, "Largest request, decompressed; 0 means 4.",
              {.min = 0, .max = 1024});
  r.Field("max_concurrent_streams", max_concurrent_streams,
          "Calls that one connection may have under way; 0 means the server's own limit of 256.", {.unit = "calls"});
  r.Field("keepalive", keepalive, "Rules for HTTP/2 pings and the life of connections.");
  r.Field("tls", tls, "How connections are secured; cleartext if it is left out.");
  r.Unsupported("read_buffer_size", "remove it; all connections of a loop read through one buffer of 64 KiB", "524288");
  r.Unsupported("write_buffer_size", "remove it; answers are written as they come, at most 256 KiB at once", "524288");
  r.Unsupported("middlewares", "remove it; there are no extensions of that kind");
  r.Unsupported("dialer", "remove it; nothing is dialled");
  r.Field("include_metadata", include_metadata,
          "Whether the headers of requests are kept for those that ask for them.");
  r.Field("auth", auth, "Who may send; whoever can if it is left out.");
}

Status OtlpGrpcOptions::Validate() const {
  return ValidateTransport(transport, endpoint);
}

void OtlpHttpOptions::Declare(config::OptionsReader& r) {
  server.Declare(r, "Address to listen on, HOST:PORT or unix:/PATH; port 4318 if it is left out.");
  r.Field("traces_url_path", traces_url_path, "Path that takes spans.");
  r.Field("metrics_url_path", metrics_url_path, "Path that takes metrics.");
  r.Field("logs_url_path", logs_url_path, "Path that takes logs.");
  // As for the Collector, the first slash may be left out.
  for (std::string* path : {&traces_url_path, &metrics_url_path, &logs_url_path}) {
    if (!path->starts_with('/')) *path = StrCat("/", *path);
  }
  r.Field("include_metadata", include_metadata,
          "Whether the headers of requests are kept for those that ask for them.");
}

Status OtlpHttpOptions::Validate() const {
  return server.Validate();
}

std::string OtlpHttpOptions::PathOf(otlp::Signal signal) const {
  const std::string& path = signal == otlp::Signal::kTraces    ? traces_url_path
                            : signal == otlp::Signal::kMetrics ? metrics_url_path
                                                               : logs_url_path;
  return path.starts_with('/') ? path : StrCat("/", path);
}

void OtlpProtocolsOptions::Declare(config::OptionsReader& r) {
  r.FieldOrDefaults("grpc", grpc, "OTLP over gRPC.");
  r.FieldOrDefaults("http", http, "OTLP over HTTP, protobuf or JSON.");
}

void OtlpReceiverOptions::Declare(config::OptionsReader& r) {
  r.Field("protocols", protocols, "What it listens for; at least one.");
}

Status OtlpReceiverOptions::Validate() const {
  if (protocols.grpc || protocols.http) return absl::OkStatus();
  return absl::InvalidArgumentError("must specify at least one protocol when using the OTLP receiver");
}

// The origin of a request from `peer` ("address:port", "" over a unix socket), whose headers are kept if
// `keeps_headers`; `who` is what authentication found out.
std::shared_ptr<const otlp::RequestOrigin> OriginOf(std::string_view peer, const net::HttpHeaders& headers,
                                                    bool keeps_headers, ServerAuthenticator::Attributes who) {
  auto origin = std::make_shared<otlp::RequestOrigin>();
  origin->auth = std::move(who);
  origin->peer_address = net::HostOf(peer);
  if (keeps_headers) origin->metadata = headers.fields();
  return origin;
}

// Takes requests of one transport and signal into the pipelines and counts what became of them. Thread-safe; callbacks
// of requests under way keep it alive.
class OtlpReceiver::Intake : public std::enable_shared_from_this<OtlpReceiver::Intake> {
 public:
  using TraceDone = absl::AnyInvocable<void(const Status& status, std::unique_ptr<RequestTrace> trace)>;

  Intake(const std::string& receiver, const std::string& transport, otlp::Signal signal, bool keeps_headers,
         const BuildContext& context, std::shared_ptr<LargeRequests> large, Consumer& next, SenderTable* senders)
      : receiver_(receiver),
        transport_(transport),
        signal_(signal),
        keeps_headers_(keeps_headers),
        metrics_(context.metrics),
        clock_(context.clock),
        tracer_(context.tracer),
        malformed_(RequestCounter(metrics_, "malformed", receiver, transport)),
        wrong_method_(RequestCounter(metrics_, "method", receiver, transport)),
        wrong_media_type_(RequestCounter(metrics_, "media_type", receiver, transport)),
        unwanted_(RequestCounter(metrics_, "signal", receiver, transport)),
        refused_log_(context.clock),
        failed_log_(context.clock),
        malformed_log_(context.clock),
        large_(std::move(large)),
        next_(next),
        senders_(signal == otlp::Signal::kTraces ? senders : nullptr) {
    // Those of spans are shown from the start, as most have pipelines for nothing else.
    if (signal == otlp::Signal::kTraces) Counters();
  }

  // What requests take is counted in `calls` from now on, if there is that. Before the first request.
  void CountCalls(std::shared_ptr<CallMetrics> calls, std::string route, bool is_secure) {
    calls_ = std::move(calls);
    route_ = std::move(route);
    is_secure_ = is_secure;
  }

  // Where a request came from, and the spans about it.
  struct Arrival {
    std::shared_ptr<const otlp::RequestOrigin> origin;
    std::shared_ptr<SenderTable::Tally> sender;  // shared with the table; null if senders are not counted
    std::unique_ptr<RequestTrace> trace;         // null if there are none
  };

  // `request` is a request of the signal that may still be malformed. `done` is called once, on any thread, with the
  // spans about the request.
  void Take(Bytes request, OtlpEncoding encoding, Arrival arrival, TraceDone done) {
    auto& [origin, sender, trace] = arrival;
    StatusOr<otlp::Slice> slice = otlp::ReadRequest(signal_, std::move(request));
    if (!slice.ok()) {
      return std::move(done)(AnswerToMalformed(origin->peer_address, slice.status()), std::move(trace));
    }
    const size_t spans = slice->span_count();
    if (spans == 0) return std::move(done)(AnswerToNothing(), std::move(trace));
    if (sender != nullptr) senders_->LookAt(*sender, otlp::TracesView(slice->wire().view()));
    slice->set_origin(std::move(origin));
    if (trace != nullptr) {
      trace->BeginReceive(receiver_, transport_, encoding == OtlpEncoding::kProtobuf ? "protobuf" : "json");
    }
    next_.Consume(otlp::Batch(*std::move(slice)),
                  [self = shared_from_this(), spans, sender = std::move(sender), trace = std::move(trace),
                   done = std::move(done)](const Status& status) mutable {
                    self->Count(spans, status, sender.get());
                    if (trace != nullptr) trace->EndReceive(spans, status);
                    std::move(done)(status, std::move(trace));
                  });
  }

  void TakeGrpc(ServerAuthenticator::Attributes who, net::GrpcRequest request, net::GrpcResponder responder) {
    if (!large_->IsLarge(request.message.size())) {
      return TakeGrpcHere(std::move(who), std::move(request), std::move(responder));
    }
    large_->Run([self = shared_from_this(), who = std::move(who), request = std::move(request),
                 responder = std::move(responder)]() mutable {
      self->TakeGrpcHere(std::move(who), std::move(request), std::move(responder));
    });
  }

  void TakeHttp(ServerAuthenticator::Attributes who, net::HttpRequest request, net::HttpResponder responder) {
    if (calls_ != nullptr) responder = Counting(request, std::move(responder));
    if (!large_->IsLarge(request.body.size())) {
      return TakeHttpHere(std::move(who), std::move(request), std::move(responder));
    }
    large_->Run([self = shared_from_this(), who = std::move(who), request = std::move(request),
                 responder = std::move(responder)]() mutable {
      self->TakeHttpHere(std::move(who), std::move(request), std::move(responder));
    });
  }

 private:
  // Before `headers` are given away.
  Arrival Arrive(const std::string& peer, const net::HttpHeaders& headers, ServerAuthenticator::Attributes who,
                 std::unique_ptr<RequestTrace> trace) {
    Arrival arrival{.origin = OriginOf(peer, headers, keeps_headers_, std::move(who)),
                    .sender = nullptr,
                    .trace = std::move(trace)};
    if (senders_ == nullptr) return arrival;
    arrival.sender = senders_->Arrive(
        {.receiver = receiver_, .transport = transport_, .address = peer, .program = headers.Get("user-agent")});
    return arrival;
  }

  // Answers by `responder`, and counts the call when it does.
  net::HttpResponder Counting(const net::HttpRequest& request, net::HttpResponder responder) {
    // As it was sent: the body may have been decompressed.
    size_t request_bytes = request.body.size();
    static_cast<void>(absl::SimpleAtoi(AbslView(request.headers.Get("content-length")), &request_bytes));
    CallMetrics::HttpCall call{.method = request.method,
                               .route = route_,
                               .server = std::string(request.headers.Get("host")),
                               .is_secure = is_secure_,
                               .request_bytes = request_bytes};
    return net::HttpResponder([calls = calls_, call = std::move(call), &clock = clock_, begin_ns = clock_.SteadyNs(),
                               responder = std::move(responder)](net::HttpResponse response) mutable {
      call.status = response.status;
      call.response_bytes = response.body.size();
      calls->AddHttpServer(call, clock.SteadyNs() - begin_ns);
      std::move(responder).Respond(std::move(response));
    });
  }

  void TakeGrpcHere(ServerAuthenticator::Attributes who, net::GrpcRequest request, net::GrpcResponder responder) {
    auto trace = signal_ == otlp::Signal::kTraces ? RequestTrace::OfGrpc(tracer_, request.metadata) : nullptr;
    Arrival arrival = Arrive(request.peer, request.metadata, std::move(who), std::move(trace));
    Take(std::move(request.message), OtlpEncoding::kProtobuf, std::move(arrival),
         [signal = signal_, calls = calls_, &clock = clock_, begin_ns = clock_.SteadyNs(),
          responder = std::move(responder)](const Status& status, std::unique_ptr<RequestTrace> ended) mutable {
           const Status answer = GrpcAnswer(status, signal);
           if (calls != nullptr) {
             calls->AddRpcServer(otlp::ExportMethod(signal), answer, clock.SteadyNs() - begin_ns);
           }
           if (ended != nullptr) ended->AnswerGrpc(answer);
           if (answer.ok()) return std::move(responder).Respond(SuccessMessage());
           std::move(responder).Respond(answer);
         });
  }

  void TakeHttpHere(ServerAuthenticator::Attributes who, net::HttpRequest request, net::HttpResponder responder) {
    if (request.method != "POST") {
      wrong_method_.Add(1);
      return std::move(responder).Respond(PlainResponse(405, "405 method not allowed, supported: [POST]"));
    }
    const auto encoding = EncodingOf(request.headers.Get("content-type"));
    if (!encoding) {
      wrong_media_type_.Add(1);
      return std::move(responder).Respond(
          PlainResponse(415, "415 unsupported media type, supported: [application/json, application/x-protobuf]"));
    }
    auto trace = signal_ == otlp::Signal::kTraces ? RequestTrace::OfHttp(tracer_, request) : nullptr;
    auto answer = [encoding = *encoding, responder = std::move(responder)](
                      const Status& status, std::unique_ptr<RequestTrace> ended) mutable {
      net::HttpResponse response = IsUnwantedSignal(status) ? NotFound() : OtlpResponse(status, encoding);
      if (ended != nullptr) ended->AnswerHttp(response.status);
      std::move(responder).Respond(std::move(response));
    };
    StatusOr<Bytes> message = AsProtobuf(signal_, *encoding, std::move(request.body));
    if (!message.ok()) {
      return answer(AnswerToMalformed(net::HostOf(request.peer), message.status()), std::move(trace));
    }
    Arrival arrival = Arrive(request.peer, request.headers, std::move(who), std::move(trace));
    Take(*std::move(message), *encoding, std::move(arrival), std::move(answer));
  }

  // A request without items is OK, unless nobody asks for its signal.
  Status AnswerToNothing() {
    ASSIGN_OR_RETURN(otlp::Slice nothing, otlp::ReadRequest(signal_, Bytes()));
    const auto admission = next_.Reserve(otlp::Batch(std::move(nothing)));
    if (!IsUnwantedSignal(admission.status())) return absl::OkStatus();
    unwanted_.Add(1);
    return admission.status();
  }

  // Over gRPC the Collector says INTERNAL to bytes that it can't decode; as final for a client as INVALID_ARGUMENT.
  Status AnswerToMalformed(std::string_view peer, const Status& why) {
    RETURN_IF_ERROR(AnswerToNothing());
    OnMalformed(peer, why);
    if (transport_ != kGrpcTransport) return why;
    return absl::InternalError(StrCat("grpc: error unmarshalling request: ", StdView(why.message())));
  }

  struct ItemCounters {
    Counter& accepted;
    Counter& refused;
  };

  // Made when the first item comes.
  const ItemCounters& Counters() {
    absl::call_once(counters_once_, [this] {
      counters_.emplace(ItemCounters{
          .accepted = ItemCounter("otelcol_receiver_accepted_", "successfully pushed into the pipeline."),
          .refused = ItemCounter("otelcol_receiver_refused_", "that could not be pushed into the pipeline."),
      });
      // The Collector's, which stays at 0 there too unless a feature gate says otherwise: dashboards add it up.
      ItemCounter("otelcol_receiver_failed_", "that failed in the receiver itself.");
    });
    return *counters_;
  }
  Counter& ItemCounter(std::string_view prefix, std::string_view help) {
    return metrics_.GetCounter(StrCat(prefix, otlp::ItemsText(signal_)),
                               StrCat("Number of ", otlp::ItemsWords(signal_), " ", help),
                               {{"receiver", receiver_}, {"transport", transport_}});
  }
  static Counter& RequestCounter(MetricRegistry& metrics, const std::string& cause, const std::string& receiver,
                                 const std::string& transport) {
    return metrics.GetCounter(kRefusedMetric, kRefusedHelp,
                              {{"receiver", receiver}, {"transport", transport}, {"cause", cause}});
  }

  // `sender` is null if senders are not counted.
  void Count(size_t spans, const Status& status, SenderTable::Tally* sender) {
    if (IsUnwantedSignal(status)) return unwanted_.Add(1);
    const ItemCounters& counters = Counters();
    if (sender != nullptr && status.ok()) senders_->CountAccepted(*sender, spans);
    if (sender != nullptr && !status.ok()) senders_->CountRefused(*sender, spans);
    if (status.ok()) return counters.accepted.Add(spans);
    counters.refused.Add(spans);
    const bool is_for_the_moment = IsRetryable(status);
    const auto logged_spans = (is_for_the_moment ? refused_log_ : failed_log_).Admit(spans);
    if (!logged_spans) return;
    Log(LogLevel::kWarn,
        StrCat(otlp::ItemsWords(signal_), is_for_the_moment ? " refused: their senders are told to send them again"
                                                            : " refused for good: their senders are told so"),
        {{"receiver", receiver_},
         {"transport", transport_},
         {otlp::ItemsText(signal_), *logged_spans},
         {"error", StdView(status.message())}});
  }

  void OnMalformed(std::string_view peer, const Status& why) {
    malformed_.Add(1);
    const auto requests = malformed_log_.Admit(1);
    if (!requests) return;
    Log(LogLevel::kWarn, "a request could not be read and is refused for good",
        {{"receiver", receiver_},
         {"transport", transport_},
         {"peer", peer},
         {"requests", *requests},
         {"error", StdView(why.message())},
         {"advice", "see what that sender sends, and whether something on the way changes it"}});
  }

  const std::string receiver_;
  const std::string transport_;
  const otlp::Signal signal_;
  const bool keeps_headers_;
  MetricRegistry& metrics_;
  const Clock& clock_;
  const sdk::Tracer& tracer_;
  std::shared_ptr<CallMetrics> calls_;  // shared with requests under way; null if they are not counted
  std::string route_;                   // over HTTP
  bool is_secure_ = false;
  absl::once_flag counters_once_;
  std::optional<ItemCounters> counters_;  // set once
  Counter& malformed_;
  Counter& wrong_method_;
  Counter& wrong_media_type_;
  Counter& unwanted_;
  LogLimiter refused_log_;
  LogLimiter failed_log_;
  LogLimiter malformed_log_;
  const std::shared_ptr<LargeRequests> large_;  // shared with the receiver and its other intakes
  Consumer& next_;
  SenderTable* const senders_;  // null if senders are not counted
};

OtlpReceiver::OtlpReceiver(const ComponentId& id, OtlpReceiverOptions options, const BuildContext& context,
                           Consumer& next, SenderTable* senders)
    : id_(id.ToString()),
      options_(std::move(options)),
      context_(context),
      large_(std::make_shared<LargeRequests>(context.loops.workers())) {
  const OtlpProtocolsOptions& protocols = options_.protocols;
  for (const otlp::Signal signal : otlp::kSignals) {
    if (protocols.grpc) {
      grpc_intakes_.push_back(std::make_shared<Intake>(
          id_, std::string(kGrpcTransport), signal, protocols.grpc->include_metadata, context_, large_, next, senders));
    }
    if (protocols.http) {
      http_intakes_.push_back(std::make_shared<Intake>(
          id_, std::string(kHttpTransport), signal, protocols.http->include_metadata, context_, large_, next, senders));
    }
  }
  CountCalls();
  if (protocols.grpc && protocols.grpc->auth) {
    grpc_admittance_ = Admittance::Asking(protocols.grpc->auth->authenticator, {}, RefusalsOf(id_, "grpc"), context);
  }
  if (protocols.http && protocols.http->server.auth) {
    const HttpServerAuthOptions& auth = *protocols.http->server.auth;
    http_admittance_ = Admittance::Asking(auth.authenticator, auth.request_params, RefusalsOf(id_, "http"), context);
  }
}

OtlpReceiver::~OtlpReceiver() = default;

void OtlpReceiver::CountCalls() {
  const std::shared_ptr<CallMetrics> calls = CallMetrics::Create(context_.metrics);
  for (const auto& intake : grpc_intakes_) intake->CountCalls(calls, "", false);
  for (size_t i = 0; i < http_intakes_.size(); ++i) {
    const OtlpHttpOptions& http = *options_.protocols.http;
    http_intakes_[i]->CountCalls(calls, http.PathOf(otlp::kSignals[i]), http.server.tls.has_value());
  }
}

net::ServerOptions OtlpReceiver::GrpcServer() const {
  const OtlpGrpcOptions& grpc = *options_.protocols.grpc;
  const KeepaliveEnforcementOptions& policy = grpc.keepalive.enforcement_policy;
  net::ServerOptions server;
  server.name = StrCat(id_, "/grpc");
  server.endpoint = AddressOf(grpc.endpoint, grpc.transport, context_, kGrpcPort);
  if (grpc.message_bytes_max > 0) server.limits.message_bytes_max = grpc.message_bytes_max;
  if (grpc.max_concurrent_streams > 0) server.limits.streams_max = grpc.max_concurrent_streams;
  server.keepalive.min_time = std::chrono::ceil<milliseconds>(policy.min_time);
  server.keepalive.permit_without_stream = policy.permit_without_stream;
  if (grpc.tls) server.tls = grpc.tls->settings;
  const KeepaliveParametersOptions& parameters = grpc.keepalive.server_parameters;
  SetIfGiven(parameters.max_connection_idle, server.keepalive_parameters.idle_max);
  SetIfGiven(parameters.max_connection_age, server.keepalive_parameters.age_max);
  SetIfGiven(parameters.max_connection_age_grace, server.keepalive_parameters.age_grace);
  SetIfGiven(parameters.time, server.keepalive_parameters.time);
  SetIfGiven(parameters.timeout, server.keepalive_parameters.timeout);
  for (const otlp::Signal signal : otlp::kSignals) {
    server.grpc.emplace(otlp::ExportMethod(signal),
                        [intake = grpc_intakes_[static_cast<size_t>(signal)], admittance = *grpc_admittance_](
                            net::GrpcRequest request, net::GrpcResponder responder) {
                          admittance->Admit(std::move(request), std::move(responder),
                                            [intake](ServerAuthenticator::Attributes who, net::GrpcRequest admitted,
                                                     net::GrpcResponder answer) {
                                              intake->TakeGrpc(std::move(who), std::move(admitted), std::move(answer));
                                            });
                        });
  }
  return server;
}

void OtlpReceiver::AddHttp(net::ServerOptions& server) const {
  const OtlpHttpOptions& http = *options_.protocols.http;
  http.server.ApplyTo(server);
  auto intakes = std::make_shared<IntakesByPath>();
  for (const otlp::Signal signal : otlp::kSignals) {
    intakes->emplace_back(http.PathOf(signal), http_intakes_[static_cast<size_t>(signal)]);
  }
  server.http =
      http.server.Fronting([intakes = std::shared_ptr<const IntakesByPath>(std::move(intakes)),
                            admittance = *http_admittance_](net::HttpRequest request, net::HttpResponder responder) {
        admittance->Admit(
            std::move(request), std::move(responder),
            [intakes](ServerAuthenticator::Attributes who, net::HttpRequest admitted, net::HttpResponder answer) {
              Route(*intakes, std::move(who), std::move(admitted), std::move(answer));
            });
      });
}

// As Go's mux: a path that is not in its shortest form is sent to that, and one that ends with a slash takes what is
// below it.
void OtlpReceiver::Route(const IntakesByPath& intakes, ServerAuthenticator::Attributes who, net::HttpRequest request,
                         net::HttpResponder responder) {
  std::string shortest = ShortestPath(request.path);
  if (!request.path.starts_with('/')) return std::move(responder).Respond(NotFound());
  if (shortest != request.path) return std::move(responder).Respond(Redirect(std::move(shortest), request.query));
  const std::string path = net::PercentDecode(request.path);
  const auto takes = [&](const auto& each) {
    return each.first == path || (each.first.ends_with('/') && path.starts_with(each.first));
  };
  const auto intake = absl::c_find_if(intakes, takes);
  if (intake != intakes.end())
    return intake->second->TakeHttp(std::move(who), std::move(request), std::move(responder));
  const bool is_above = absl::c_any_of(intakes, [&](const auto& each) { return each.first == path + "/"; });
  std::move(responder).Respond(is_above ? Redirect(request.path + "/", request.query) : NotFound());
}

Status OtlpReceiver::Start() {
  RETURN_IF_ERROR(Annotate(grpc_admittance_.status(), "grpc"));
  RETURN_IF_ERROR(Annotate(http_admittance_.status(), "http"));
  const OtlpProtocolsOptions& protocols = options_.protocols;
  const std::string http_endpoint = HttpAddress();
  if (protocols.grpc) {
    net::ServerOptions server = GrpcServer();
    const bool one_port = server.endpoint == http_endpoint && !server.endpoint.ends_with(":0");
    if (one_port && protocols.http->server.tls.has_value()) {
      return absl::InvalidArgumentError(
          StrCat(id_, ": both protocols are on ", server.endpoint, "; give tls under grpc alone, it is for both"));
    }
    if (one_port) AddHttp(server);
    ReportAccepting(context_, server);
    ASSIGN_OR_RETURN(grpc_server_, net::Server::Create(context_.loops, context_.metrics, std::move(server)));
    LogStart("Starting GRPC server", *grpc_server_);
    if (one_port) http_server_ = grpc_server_;
  }
  if (protocols.http && http_server_ == nullptr) {
    net::ServerOptions server;
    server.name = StrCat(id_, "/http");
    server.endpoint = http_endpoint;
    if (protocols.http->server.tls) server.tls = protocols.http->server.tls->settings;
    AddHttp(server);
    ReportAccepting(context_, server);
    auto created = net::Server::Create(context_.loops, context_.metrics, std::move(server));
    if (!created.ok()) {
      Stop(milliseconds(0));
      return created.status();
    }
    http_server_ = *std::move(created);
  }
  if (http_server_ != nullptr) LogStart("Starting HTTP server", *http_server_);
  return absl::OkStatus();
}

// The Collector's words, which scripts wait for.
void OtlpReceiver::LogStart(std::string_view words, const net::Server& server) const {
  Log(LogLevel::kInfo, words, {{"receiver", id_}, {"endpoint", server.endpoint()}});
}

void OtlpReceiver::Stop(milliseconds grace) {
  const int64_t deadline_ns = context_.clock.SteadyNs() + std::chrono::nanoseconds(grace).count();
  size_t cut_off = 0;
  for (const auto& server : {grpc_server_, http_server_}) {
    if (server == nullptr) continue;
    const std::chrono::nanoseconds left(std::max<int64_t>(0, deadline_ns - context_.clock.SteadyNs()));
    cut_off += server->Stop(std::chrono::duration_cast<milliseconds>(left));
  }
  large_->Drain();
  if (cut_off == 0) return;
  Log(LogLevel::kWarn, "requests cut off at shutdown: their senders got no answer and may send them again",
      {{"receiver", id_}, {"requests", cut_off}});
}

std::vector<Endpoint> OtlpReceiver::endpoints() const {
  std::vector<Endpoint> endpoints;
  if (grpc_server_ != nullptr) endpoints.push_back({"OTLP/gRPC", grpc_server_->endpoint()});
  if (http_server_ != nullptr) endpoints.push_back({"OTLP/HTTP", http_server_->endpoint()});
  return endpoints;
}

std::string OtlpReceiver::HttpAddress() const {
  if (!options_.protocols.http) return "";
  const HttpServerOptions& server = options_.protocols.http->server;
  return AddressOf(server.endpoint, server.transport, context_, kHttpPort);
}

std::vector<std::string> OtlpReceiver::claims() const {
  std::vector<std::string> claims;
  const OtlpProtocolsOptions& protocols = options_.protocols;
  if (protocols.grpc)
    AddClaim(AddressOf(protocols.grpc->endpoint, protocols.grpc->transport, context_, kGrpcPort), claims);
  if (protocols.http) AddClaim(HttpAddress(), claims);
  return claims;
}

void RegisterOtlpReceiver(Registry& registry, SenderTable* senders) {
  registry.receivers.Add<OtlpReceiverOptions>(
      "otlp", kDoc,
      [senders](const ComponentId& id, OtlpReceiverOptions options, const BuildContext& context, Consumer& next) {
        return std::make_unique<OtlpReceiver>(id, std::move(options), context, next, senders);
      },
      EverySignal());
}

}  // namespace spanloom::pipeline
