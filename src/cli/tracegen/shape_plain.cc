// SPDX-License-Identifier: Apache-2.0

#include "cli/tracegen/shape_plain.h"

#include <array>

#include "base/text.h"
#include "cli/tracegen/draw.h"
#include "cli/tracegen/span_writer.h"
#include "semconv/names.h"

namespace spanloom::cli::tracegen {
namespace {

namespace db = semconv::db;
namespace http = semconv::http;
namespace resource = semconv::resource;

constexpr uint32_t kReplicas = 3;  // of each service
constexpr std::array<std::string_view, 3> kServices = {"storefront", "orders", "payments"};
constexpr uint32_t kStorefront = 0, kOrders = 1, kPayments = 2;  // indexes into kServices
constexpr double kCachedShare = 0.15;
constexpr double kFailedShare = 0.02;  // of the payments

// The application's own attributes.
constexpr std::string_view kRequestId = "app.request.id";    // string, a UUID
constexpr std::string_view kCustomerId = "app.customer.id";  // string
constexpr std::string_view kOrderTotal = "app.order.total";  // double

std::vector<Emitter> MakeEmitters(uint64_t seed) {
  Rng rng(seed);
  std::vector<Emitter> emitters;
  for (std::string_view service : kServices) {
    for (uint32_t replica = 0; replica < kReplicas; ++replica) {
      emitters.push_back({.resource_wire = EncodeResource({{resource::kServiceName, service},
                                                           {resource::kServiceVersion, "2.14.0"},
                                                           {resource::kServiceInstanceId, UuidV4(rng)},
                                                           {resource::kNamespaceName, "shop"},
                                                           {resource::kNodeName, StrCat("node-", 1 + rng.Below(4))},
                                                           {resource::kPodName, StrCat(service, "-", replica)},
                                                           {resource::kSdkLanguage, "go"},
                                                           {resource::kSdkName, "opentelemetry"},
                                                           {resource::kSdkVersion, "1.44.0"}}),
                          .schema_url = std::string(resource::kSchemaUrl),
                          .scopes = {{EncodeScope(semconv::scope::kOtelHttp, "0.68.0")}}});
    }
  }
  return emitters;
}

// What a customer does, and when each step of it happens.
struct Checkout {
  std::array<uint32_t, kServices.size()> replica{};
  std::string request_id;
  std::string customer_id;
  std::string order_id;
  double total = 0;
  bool is_cached = false;
  bool has_failed = false;
  Interval page, page_call, order, query, charge_call, charge;
};

// A server's span inside its caller's.
Interval Inside(Rng& rng, const Interval& caller) {
  return {caller.start_ns + Between(rng, 150 * kMicrosecond, 400 * kMicrosecond),
          caller.end_ns - Between(rng, 100 * kMicrosecond, 300 * kMicrosecond)};
}

void DrawSteps(Rng& rng, Checkout& checkout) {
  Timeline timeline(rng, 0);
  timeline.Pass(300 * kMicrosecond, 2 * kMillisecond);
  checkout.page_call.start_ns = timeline.now_ns();
  timeline.Pass(500 * kMicrosecond, kMillisecond);
  if (!checkout.is_cached) checkout.query = timeline.Take(800 * kMicrosecond, 12 * kMillisecond);
  timeline.Pass(200 * kMicrosecond, kMillisecond);
  checkout.charge_call = timeline.Take(8 * kMillisecond, 25 * kMillisecond);
  checkout.charge_call.end_ns += LogNormal(rng, 30e6, 2, 0, 2 * kSecond);
  checkout.charge = Inside(rng, checkout.charge_call);
  timeline.Pass(checkout.charge_call.end_ns - timeline.now_ns());
  timeline.Pass(500 * kMicrosecond, kMillisecond);
  checkout.page_call.end_ns = timeline.now_ns();
  checkout.order = Inside(rng, checkout.page_call);
  timeline.Pass(200 * kMicrosecond, 3 * kMillisecond);
  checkout.page.end_ns = timeline.now_ns();
}

Checkout DrawCheckout(Rng& rng) {
  Checkout checkout;
  for (uint32_t& replica : checkout.replica) replica = static_cast<uint32_t>(rng.Below(kReplicas));
  checkout.request_id = UuidV4(rng);
  checkout.customer_id = StrCat("customer-", rng.Below(50'000));
  checkout.order_id = StrCat(100'000'000 + rng.Below(900'000'000));
  checkout.total = static_cast<double>(LogNormal(rng, 4'500, 2, 100, 500'000)) / 100;
  checkout.is_cached = Chance(rng, kCachedShare);
  checkout.has_failed = Chance(rng, kFailedShare);
  DrawSteps(rng, checkout);
  return checkout;
}

// Writes the spans of one checkout. Lives for one call of Generate.
class CheckoutSpans {
 public:
  CheckoutSpans(TraceWriter& writer, const Checkout& checkout) : writer_(writer), checkout_(checkout) {}

  void Write() {
    const otlp::SpanId page = WriteServer(kStorefront, {}, "POST /checkout", "/checkout", checkout_.page);
    const otlp::SpanId page_call = WriteClient(kStorefront, page, "orders", "/orders", checkout_.page_call);
    const otlp::SpanId order = WriteServer(kOrders, page_call, "POST /orders", "/orders", checkout_.order);
    if (!checkout_.is_cached) WriteQuery(order);
    const otlp::SpanId charge_call = WriteClient(kOrders, order, "payments", "/charges", checkout_.charge_call);
    WriteServer(kPayments, charge_call, "POST /charges", "/charges", checkout_.charge);
  }

 private:
  [[nodiscard]] SpanOrigin Origin(uint32_t service) const {
    return {service * kReplicas + checkout_.replica[service], 0};
  }
  [[nodiscard]] int64_t HttpStatus() const { return checkout_.has_failed ? 503 : 200; }

  otlp::SpanId EndWithStatus(SpanWriter& span) {
    span.Int(http::kStatusCode, HttpStatus())
        .String(kRequestId, checkout_.request_id)
        .String(kCustomerId, checkout_.customer_id);
    if (!checkout_.has_failed) return span.End();
    return span.String(http::kErrorType, "503").End(otlp::StatusCode::kError);
  }

  otlp::SpanId WriteServer(uint32_t service, otlp::SpanId parent, std::string_view name, std::string_view route,
                           const Interval& time) {
    SpanWriter span = writer_.Begin({.origin = Origin(service),
                                     .parent = parent,
                                     .name = name,
                                     .kind = otlp::SpanKind::kServer,
                                     .time = time,
                                     .flags = parent.IsZero() ? kGoLocalParent : kGoRemoteParent});
    span.String(http::kRequestMethod, "POST")
        .String(http::kRoute, route)
        .String(http::kUrlScheme, "http")
        .String(http::kUrlPath, route)
        .String(http::kServerAddress, kServices[service])
        .Int(http::kServerPort, 8080)
        .String(http::kPeerAddress, "10.1.2.3")
        .String(http::kProtocolVersion, "1.1")
        .String(http::kUserAgent, "Go-http-client/1.1");
    return EndWithStatus(span);
  }

  otlp::SpanId WriteClient(uint32_t service, otlp::SpanId parent, std::string_view host, std::string_view path,
                           const Interval& time) {
    SpanWriter span = writer_.Begin({.origin = Origin(service),
                                     .parent = parent,
                                     .name = "HTTP POST",
                                     .kind = otlp::SpanKind::kClient,
                                     .time = time});
    span.String(http::kRequestMethod, "POST")
        .String(http::kUrlFull, StrCat("http://", host, ":8080", path, "?order=", checkout_.order_id))
        .String(http::kServerAddress, host)
        .Int(http::kServerPort, 8080)
        .String(http::kProtocolVersion, "1.1")
        .Double(kOrderTotal, checkout_.total);
    return EndWithStatus(span);
  }

  void WriteQuery(otlp::SpanId parent) {
    writer_
        .Begin({.origin = Origin(kOrders),
                .parent = parent,
                .name = "SELECT orders",
                .kind = otlp::SpanKind::kClient,
                .time = checkout_.query})
        .String(db::kSystem, "postgresql")
        .String(db::kNamespace, "shop")
        .String(db::kCollection, "orders")
        .String(db::kOperation, "SELECT")
        .String(db::kQueryText, "SELECT id, customer, total, state FROM orders WHERE id = $1 FOR UPDATE")
        .Int(db::kRows, 1)
        .String(http::kServerAddress, "orders-db")
        .Int(http::kServerPort, 5432)
        .String(kRequestId, checkout_.request_id)
        .String(kCustomerId, checkout_.customer_id)
        .End();
  }

  TraceWriter& writer_;
  const Checkout& checkout_;
};

}  // namespace

PlainShape::PlainShape(uint64_t seed) : TraceShape(MakeEmitters(seed), seed) {}

void PlainShape::Generate(uint64_t index, int64_t end_unix_ns, GeneratedTrace& trace) const {
  Rng rng = RngOf(index);
  const Checkout checkout = DrawCheckout(rng);
  TraceWriter writer(trace, rng, end_unix_ns - checkout.page.end_ns);
  CheckoutSpans(writer, checkout).Write();
}

}  // namespace spanloom::cli::tracegen
