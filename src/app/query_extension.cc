// SPDX-License-Identifier: Apache-2.0

#include "app/query_extension.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/page_assets.h"
#include "query/query_server.h"

namespace spanloom::app {
namespace {

constexpr uint16_t kPort = 16686;  // Jaeger's

struct QueryOptions {
  std::string endpoint;

  void Declare(config::OptionsReader& r) {
    r.Field("endpoint", endpoint, "Address to listen on, HOST:PORT; port 16686 if it is left out.");
  }
};

class QueryExtension final : public pipeline::Extension {
 public:
  QueryExtension(const QueryOptions& options, const pipeline::BuildContext& context, store::SpanStore& store,
                 const query::InsightSources& insight)
      : endpoint_(pipeline::ListenEndpoint(options.endpoint, context, kPort)),
        context_(context),
        store_(store),
        insight_(insight) {}

  Status Start() override {
    query::QueryServerOptions options{.endpoint = endpoint_, .insight = insight_};
    ASSIGN_OR_RETURN(server_, query::QueryServer::Create(context_.loops, context_.metrics, store_, std::move(options),
                                                         PageAssets()));
    return absl::OkStatus();
  }

  void Stop(std::chrono::milliseconds grace) override { server_->Stop(grace); }

  [[nodiscard]] std::vector<pipeline::Endpoint> endpoints() const override {
    return {{.serves = "page", .address = "http://" + server_->endpoint()}};
  }

  [[nodiscard]] std::vector<std::string> claims() const override {
    std::vector<std::string> claims;
    pipeline::AddClaim(endpoint_, claims);
    return claims;
  }

 private:
  const std::string endpoint_;
  const pipeline::BuildContext context_;
  store::SpanStore& store_;
  const query::InsightSources insight_;
  std::unique_ptr<query::QueryServer> server_;
};

constexpr pipeline::ComponentDoc kDoc = {
    .words = "Serves the page, Jaeger's HTTP API over the store, and how this process is doing (/api/insight/).",
    .example = R"(extensions:
  spanloom_query:
    endpoint: 0.0.0.0:16686
)",
};

}  // namespace

void RegisterQueryExtension(pipeline::Registry& registry, pipeline::StoreSource store,
                            const query::InsightSources& insight) {
  registry.extensions.Add<QueryOptions>(
      "spanloom_query", kDoc,
      [store = std::move(store), insight](const pipeline::ComponentId&, const QueryOptions& options,
                                          const pipeline::BuildContext& context) {
        return std::make_unique<QueryExtension>(options, context, store(), insight);
      });
}

}  // namespace spanloom::app
