// SPDX-License-Identifier: Apache-2.0
//
// A path on the first line, XML behind it: both of any bytes. What is selected must lie in the document in order, and
// XML that was written must be read again and written in the same way.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "ottl/xpath.h"

namespace spanloom::ottl {
namespace {

void SelectAndWrite(std::string_view path, std::string_view xml) {
  const auto document = ParseXml(xml);
  if (!document.ok()) return;
  const std::string written = WriteXml(**document);
  const auto again = ParseXml(written);
  CHECK(again.ok() && WriteXml(**again) == written);
  const auto xpath = XPath::Compile(path);
  if (!xpath.ok()) return;
  const auto items = xpath->Select(**document);
  if (!items.ok()) return;
  const auto order = [](const XPathItem& item) { return item.node->order; };
  for (size_t i = 1; i < items->size(); ++i) {
    CHECK(order((*items)[i - 1]) <= order((*items)[i]));
    CHECK(!((*items)[i - 1] == (*items)[i]));
  }
}

}  // namespace
}  // namespace spanloom::ottl

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(text.find('\n'), text.size());
  spanloom::ottl::SelectAndWrite(text.substr(0, line), text.substr(std::min(line + 1, size)));
  return 0;
}
