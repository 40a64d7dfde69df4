// SPDX-License-Identifier: Apache-2.0
//
// Plain HTML pages for operators: headings, paragraphs, links and tables, without scripts and styles of others.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace spanloom::pipeline {

// `text` as it may stand in an element or a quoted attribute.
[[nodiscard]] std::string HtmlEscaped(std::string_view text);

// One page. Texts are escaped. Thread-compatible.
class HtmlPage {
 public:
  explicit HtmlPage(std::string_view title);

  void Heading(std::string_view text);
  void Paragraph(std::string_view text);
  // Keeps spaces and lines.
  void Preformatted(std::string_view text);
  void Link(std::string_view path, std::string_view text);
  // [rows][header]; says "None." if there are no rows.
  void Table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

  // To be called once.
  [[nodiscard]] net::HttpResponse Finish() &&;

 private:
  void Row(std::string_view tag, const std::vector<std::string>& cells);

  std::string html_;
};

}  // namespace spanloom::pipeline
