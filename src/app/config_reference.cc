// SPDX-License-Identifier: Apache-2.0

#include "app/config_reference.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "app/components.h"
#include "base/check.h"
#include "base/text.h"
#include "pipeline/service_config.h"

namespace spanloom::app {
namespace {

using config::OptionDoc;
using Kind = config::OptionDoc::Kind;

constexpr std::string_view kMark = "<!-- Written by `spanloom config-reference`; ./dev docs writes it again. -->\n";

// Text as it may stand in a cell of a table.
std::string Cell(std::string_view text) {
  return absl::StrReplaceAll(AbslView(text), {{"|", "\\|"}});
}

std::string Code(std::string_view text) {
  return text.empty() ? "" : StrCat("`", text, "`");
}

std::string TypeCell(const OptionDoc& doc) {
  return doc.unit.empty() ? Cell(doc.type) : StrCat(Cell(doc.type), ", ", Cell(doc.unit));
}

void AppendRow(const OptionDoc& doc, std::string& page) {
  StrAppend(page, "| ", Code(doc.name), " | ", TypeCell(doc), " | ", Code(Cell(doc.default_text)), " | ",
            Cell(doc.range), " | ", Cell(doc.words), " |\n");
}

bool IsSection(const OptionDoc& doc) {
  return doc.kind != Kind::kValue && doc.kind != Kind::kUnsupported;
}

void AppendTable(const std::vector<OptionDoc>& docs, std::string& page) {
  StrAppend(page, "| key | type | default | range | what it is |\n|---|---|---|---|---|\n");
  for (const OptionDoc& doc : docs) {
    if (doc.kind != Kind::kUnsupported) AppendRow(doc, page);
  }
}

// The sections below a key, each with its table. What has the same keys as a section before it refers to that.
class SectionWriter {
 public:
  explicit SectionWriter(std::string& page) : page_(page) {}

  void Append(const std::vector<OptionDoc>& docs, const std::string& path) {
    for (const OptionDoc& doc : docs) {
      if (IsSection(doc)) AppendSection(doc, StrCat(path, doc.name));
    }
  }

 private:
  void AppendSection(const OptionDoc& doc, const std::string& name) {
    StrAppend(page_, "\n## ", Code(name), "\n\n", doc.words);
    if (doc.kind == Kind::kOptionalSection) {
      StrAppend(page_, " Off unless the key is written; ", Code(StrCat(doc.name, ": {}")),
                " takes the defaults, and `enabled: false` in it switches it off.");
    } else if (doc.kind == Kind::kSectionOrDefaults) {
      StrAppend(page_, " Off unless the key is written; ", Code(StrCat(doc.name, ":")),
                " alone takes the defaults, and `enabled: false` in it switches it off.");
    }
    if (!doc.children.empty()) {
      const auto [same, is_new] = name_of_.try_emplace(AllKeys(doc.children), name);
      if (!is_new) return StrAppend(page_, " The keys are those of ", Code(same->second), ".\n");
    }
    StrAppend(page_, "\n\n");
    AppendTable(doc.children, page_);
    Append(doc.children, StrCat(name, "."));
  }

  // The keys of a section, and of all below it.
  static std::string AllKeys(const std::vector<OptionDoc>& docs) {
    std::string keys;
    AppendTable(docs, keys);
    for (const OptionDoc& doc : docs) {
      if (IsSection(doc)) StrAppend(keys, doc.name, ":\n", AllKeys(doc.children));
    }
    return keys;
  }

  std::string& page_;
  std::map<std::string, std::string> name_of_;  // by AllKeys
};

// Keys that share an advice share a line; the order is that of the declarations.
using Advices = std::vector<std::pair<std::string, std::vector<std::string>>>;

void CollectUnsupported(const std::vector<OptionDoc>& docs, const std::string& path, Advices& advices) {
  for (const OptionDoc& doc : docs) {
    CollectUnsupported(doc.children, StrCat(path, doc.name, "."), advices);
    if (doc.kind != Kind::kUnsupported) continue;
    if (advices.empty() || advices.back().first != doc.words) advices.push_back({doc.words, {}});
    advices.back().second.push_back(Code(StrCat(path, doc.name)));
  }
}

void AppendUnsupported(const std::vector<OptionDoc>& docs, std::string& page) {
  Advices advices;
  CollectUnsupported(docs, "", advices);
  if (advices.empty()) return;
  StrAppend(page, "\n## Not supported yet\n\nThese keys of the Collector are refused by name:\n\n");
  for (const auto& [advice, keys] : advices) StrAppend(page, "* ", absl::StrJoin(keys, ", "), ": ", advice, "\n");
}

std::string FileName(std::string_view kind, std::string_view type) {
  return StrCat(kind, "-", type, ".md");
}

// The pages of one kind of component, and its part of the index. `kind` is "receiver", "processor", ...
class KindPages {
 public:
  KindPages(std::string_view kind, std::map<std::string, std::string>& pages) : kind_(kind), pages_(pages) {}

  template <typename Table>
  void Write(const Table& table, std::string& index) {
    for (const std::string& type : table.types()) {
      const auto& factory = *table.Find(type);
      StrAppend(index, "| ", kind_, " | [`", type, "`](", FileName(kind_, type), ") | ", Cell(factory.doc.words),
                " |\n");
      pages_.emplace(FileName(kind_, type), Page(type, factory.doc, table.AliasesOf(type), factory.describe()));
    }
  }

 private:
  [[nodiscard]] std::string Page(const std::string& type, const pipeline::ComponentDoc& doc,
                                 const std::vector<std::string>& aliases, const std::vector<OptionDoc>& options) const {
    std::string title(kind_);
    title[0] = static_cast<char>(title[0] - 'a' + 'A');
    std::string page = StrCat(kMark, "\n# ", title, " `", type, "`\n\n", doc.words, "\n");
    for (const std::string& alias : aliases) StrAppend(page, "\nOld name, still read with a warning: `", alias, "`.\n");
    return StrCat(page, "\n```yaml\n", doc.example, "```\n\n## Keys\n\n", OptionTables(options));
  }

  const std::string_view kind_;
  std::map<std::string, std::string>& pages_;
};

constexpr std::string_view kIndexWords = R"(
# Configuration reference

The language is that of the OpenTelemetry Collector: YAML, strict keys, durations as `1m30s`, `${env:NAME}` and
`${env:NAME:-default}` in values. Unknown keys and values out of range are refused at start;
`spanloom serve validate --config FILE` says so beforehand. How files are merged, and what is built in:
[../serve.md](../serve.md).
)";

constexpr std::string_view kServiceExample = R"(service:
  telemetry:
    logs:
      level: debug
    metrics:
      address: 0.0.0.0:8888
    traces:
      processors:
        - batch:
            exporter:
              otlp:
                protocol: grpc
                endpoint: http://tempo:4317
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [spanloom_store]
)";

std::string ServicePage() {
  return StrCat(kMark,
                "\n# `service`\n\nWhich components run, how they are joined, and how the process reports on itself.\n",
                "\n```yaml\n", kServiceExample, "```\n\n## Keys\n\n", OptionTables(pipeline::DescribeService()));
}

}  // namespace

std::string OptionTables(const std::vector<OptionDoc>& docs) {
  std::string text;
  if (docs.empty()) return "It has none.\n";
  AppendTable(docs, text);
  SectionWriter(text).Append(docs, "");
  AppendUnsupported(docs, text);
  return text;
}

std::map<std::string, std::string> ConfigReference(const pipeline::Registry& registry) {
  std::map<std::string, std::string> pages;
  std::string index = StrCat(kMark, kIndexWords, "\n| kind | type | what it does |\n|---|---|---|\n");
  KindPages("receiver", pages).Write(registry.receivers, index);
  KindPages("processor", pages).Write(registry.processors, index);
  KindPages("connector", pages).Write(registry.connectors, index);
  KindPages("exporter", pages).Write(registry.exporters, index);
  KindPages("extension", pages).Write(registry.extensions, index);
  StrAppend(index, "\n## At the top\n\n", OptionTables(pipeline::DescribeRoot()),
            "\nThe keys below `service`: [service.md](service.md).\n");
  pages.emplace("README.md", std::move(index));
  pages.emplace("service.md", ServicePage());
  return pages;
}

std::map<std::string, std::string> ConfigReference() {
  pipeline::Registry registry;
  RegisterCollectorComponents(registry);
  RegisterStoreComponents(registry, nullptr);
  return ConfigReference(registry);
}

}  // namespace spanloom::app
