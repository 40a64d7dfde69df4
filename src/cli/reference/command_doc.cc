// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/command_doc.h"

#include <absl/strings/str_split.h>

#include <CLI/CLI.hpp>
#include <string_view>

#include "base/text.h"

namespace spanloom::cli::reference {
namespace {

// CLI11 tells the values that a check allows in its description alone: "{text,json}", or "value in {yaml->0,json->1} OR
// {0,1}", of which the left sides are what a user writes.
std::vector<std::string> ChoicesIn(std::string_view description) {
  std::vector<std::string> choices;
  const size_t begin = description.find('{');
  if (begin == std::string_view::npos) return choices;
  const size_t end = description.find('}', begin);
  for (const absl::string_view item : absl::StrSplit(AbslView(description.substr(begin + 1, end - begin - 1)), ',')) {
    const absl::string_view choice = item.substr(0, item.find("->"));
    if (!choice.empty()) choices.emplace_back(choice);
  }
  return choices;
}

ValueKind KindOf(std::string_view value) {
  if (value == "DIR") return ValueKind::kDirectory;
  return value == "FILE" || value == "LOCATION" ? ValueKind::kFile : ValueKind::kText;
}

void ReadValue(const CLI::Option& option, FlagDoc& doc) {
  if (option.get_items_expected_max() == 0) return;
  const std::string type = option.get_type_name();  // "TEXT:{text,json}"
  const size_t colon = type.find(':');
  doc.value = type.substr(0, colon);
  if (doc.value.empty()) doc.value = "VALUE";
  doc.kind = KindOf(doc.value);
  if (colon != std::string::npos) doc.choices = ChoicesIn(std::string_view(type).substr(colon));
}

FlagDoc ReadFlag(const CLI::Option& option) {
  FlagDoc doc;
  for (const std::string& name : option.get_snames()) doc.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) doc.names.push_back("--" + name);
  ReadValue(option, doc);
  if (doc.names.empty()) doc.value = option.get_name(true);
  if (doc.names.empty() && doc.value == "FILE") doc.kind = ValueKind::kFile;
  doc.words = option.get_description();
  doc.default_text = option.get_default_str();
  doc.variable = option.get_envname();
  doc.is_required = option.get_required();
  doc.is_list =
      option.get_items_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  return doc;
}

// A group of options has a --help of its own, which is the command's.
void ReadFlags(const CLI::App& app, CommandDoc& doc) {
  const bool is_group = app.get_name().empty() && app.get_parent() != nullptr;
  const auto is_shown = [&](const CLI::Option* option) {
    return !option->get_group().empty() && !(is_group && option == app.get_help_ptr());
  };
  for (const CLI::Option* option : app.get_options(is_shown)) {
    (option->get_positional() ? doc.operands : doc.flags).push_back(ReadFlag(*option));
  }
}

}  // namespace

CommandDoc ReadCommand(const CLI::App& app) {
  CommandDoc doc{.name = app.get_name(),
                 .aliases = app.get_aliases(),
                 .words = app.get_description(),
                 .footer = app.get_footer(),
                 .takes_outer_flags = app.get_fallthrough()};
  ReadFlags(app, doc);
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (inner->get_name().empty()) {
      ReadFlags(*inner, doc);
    } else {
      doc.commands.push_back(ReadCommand(*inner));
    }
  }
  return doc;
}

}  // namespace spanloom::cli::reference
