// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/html_page.h"

#include <utility>

#include "base/text.h"

namespace spanloom::pipeline {

std::string HtmlEscaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

HtmlPage::HtmlPage(std::string_view title) {
  const std::string escaped = HtmlEscaped(title);
  html_ = StrCat("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>", escaped,
                 "</title></head>\n<body>\n<h1>", escaped, "</h1>\n");
}

void HtmlPage::Heading(std::string_view text) {
  StrAppend(html_, "<h2>", HtmlEscaped(text), "</h2>\n");
}

void HtmlPage::Paragraph(std::string_view text) {
  StrAppend(html_, "<p>", HtmlEscaped(text), "</p>\n");
}

void HtmlPage::Preformatted(std::string_view text) {
  StrAppend(html_, "<pre>", HtmlEscaped(text), "</pre>\n");
}

void HtmlPage::Link(std::string_view path, std::string_view text) {
  StrAppend(html_, "<p><a href=\"", HtmlEscaped(path), "\">", HtmlEscaped(text), "</a></p>\n");
}

void HtmlPage::Row(std::string_view tag, const std::vector<std::string>& cells) {
  html_ += "<tr>";
  for (const std::string& cell : cells) StrAppend(html_, "<", tag, ">", HtmlEscaped(cell), "</", tag, ">");
  html_ += "</tr>\n";
}

void HtmlPage::Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return Paragraph("None.");
  html_ += "<table border=\"1\" cellpadding=\"4\">\n";
  Row("th", header);
  for (const std::vector<std::string>& row : rows) Row("td", row);
  html_ += "</table>\n";
}

net::HttpResponse HtmlPage::Finish() && {
  html_ += "</body></html>\n";
  net::HttpResponse response;
  response.headers.Add("content-type", "text/html; charset=utf-8");
  response.headers.Add("x-content-type-options", "nosniff");
  response.body = Bytes(std::move(html_));
  return response;
}

}  // namespace spanloom::pipeline
