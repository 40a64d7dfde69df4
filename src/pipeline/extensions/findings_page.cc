// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/findings_page.h"

#include <absl/time/time.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/text.h"
#include "findings/findings_json.h"
#include "pipeline/extensions/html_page.h"

namespace spanloom::pipeline {
namespace {

constexpr size_t kWaitingMax = 16;  // requests; guess

using findings::Finding;
using findings::FindingsReport;

// "collector.yaml:8"
std::string PlaceOf(const Finding& finding) {
  return finding.line > 0 ? StrCat(finding.where, ":", finding.line) : finding.where;
}

net::HttpResponse Html(const FindingsReport& report) {
  HtmlPage page("Findings");
  page.Paragraph(StrCat(
      "What the doctor finds in this process, its configuration and its metrics; looked at ",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixNanos(report.looked_unix_ns), absl::UTCTimeZone()), "."));
  std::vector<std::vector<std::string>> rows;
  for (const Finding& finding : report.findings) {
    rows.push_back({finding.severity, finding.rule, PlaceOf(finding), finding.what});
  }
  page.Table({"Severity", "Rule", "Where", "What"}, rows);
  for (const Finding& finding : report.findings) {
    if (finding.fix.empty()) continue;
    page.Heading(StrCat("A fix for ", finding.rule, " at ", PlaceOf(finding)));
    page.Preformatted(finding.fix);
  }
  if (!report.left_out.empty()) page.Heading("Not looked at");
  for (const std::string& sentence : report.left_out) page.Paragraph(sentence);
  page.Link("findingsz?format=json", "The same as JSON");
  return std::move(page).Finish();
}

// The envelope of the paths below /api/.
net::HttpResponse Json(const StatusOr<FindingsReport>& report) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  json.Key("data");
  if (report.ok()) {
    WriteFindings(*report, json);
  } else {
    json.Null();
  }
  json.Field("total", report.ok() ? static_cast<uint64_t>(report->findings.size()) : 0);
  json.Field("limit", 0);
  json.Field("offset", 0);
  json.Key("errors");
  if (report.ok()) {
    json.Null();
  } else {
    json.BeginArray();
    json.BeginObject();
    json.Field("code", 503);
    json.Field("msg", StdView(report.status().message()));
    json.EndObject();
    json.EndArray();
  }
  json.EndObject();
  net::HttpResponse response{.status = report.ok() ? 200 : 503, .body = Bytes(std::move(body))};
  response.headers.Add("content-type", "application/json");
  return response;
}

}  // namespace

FindingsPage::FindingsPage(findings::FindingsSource& source)
    : source_(source), worker_("spanloom-find", 1, kWaitingMax) {}

FindingsPage::~FindingsPage() {
  GiveUp();
}

void FindingsPage::Respond(const net::HttpRequest& request, net::HttpResponder responder) {
  struct Exchange {
    std::string query;
    net::HttpResponder responder;
    std::stop_source gone = {};  // also when the page ends
  };
  const auto exchange = std::make_shared<Exchange>(Exchange{request.query, std::move(responder)});
  exchange->responder.cancel_signal().OnCancel([gone = exchange->gone]() mutable { gone.request_stop(); });
  const bool is_queued = worker_.Submit([this, exchange] {
    const std::stop_callback on_end(stop_.get_token(), [&exchange] { exchange->gone.request_stop(); });
    std::move(exchange->responder).Respond(Answer(exchange->query, exchange->gone.get_token()));
  });
  if (is_queued) return;
  std::move(exchange->responder)
      .Respond(net::TextResponse(503, StrCat("503 ", kWaitingMax, " requests wait for findings; try again\n")));
}

net::HttpResponse FindingsPage::Answer(std::string_view query, const std::stop_token& stop) const {
  bool as_json = false;
  for (const auto& [name, value] : net::ParseQuery(query)) {
    if (name != "format") continue;
    if (value != "json" && value != "html") {
      return net::TextResponse(400, "400 format is html or json\n");
    }
    as_json = value == "json";
  }
  const StatusOr<FindingsReport> report = source_.Find(stop);
  if (as_json) return Json(report);
  if (!report.ok()) return net::TextResponse(503, StrCat("503 ", StdView(report.status().message()), "\n"));
  return Html(*report);
}

}  // namespace spanloom::pipeline
