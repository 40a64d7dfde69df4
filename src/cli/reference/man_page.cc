// SPDX-License-Identifier: Apache-2.0

#include "cli/reference/man_page.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>

#include <set>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace spanloom::cli::reference {
namespace {

constexpr std::string_view kSection = "1";

// Text that troff is to print as it is, wherever in a line it stands.
std::string Plain(std::string_view text) {
  std::string plain = absl::StrReplaceAll(AbslView(text), {{"\\", "\\e"}, {"-", "\\-"}, {"\n", " "}});
  const bool is_request = plain.starts_with('.') || plain.starts_with('\'');
  return is_request ? StrCat("\\&", plain) : plain;
}

std::string Bold(std::string_view text) {
  return StrCat("\\fB", Plain(text), "\\fR");
}

std::string Italic(std::string_view text) {
  return StrCat("\\fI", Plain(text), "\\fR");
}

std::string Sentence(std::string_view text) {
  const bool has_end = text.empty() || text.ends_with('.') || text.ends_with('?');
  return StrCat(Plain(text), has_end ? "" : ".");
}

std::vector<std::string> BoldNames(const std::vector<std::string>& names) {
  std::vector<std::string> bold;
  for (const std::string& name : names) bold.push_back(Bold(name));
  return bold;
}

// A flag or an operand with all that is known of it.
void AppendFlag(const FlagDoc& flag, std::string& page) {
  StrAppend(page, ".TP\n", absl::StrJoin(BoldNames(flag.names), ", "));
  if (!flag.value.empty()) StrAppend(page, flag.names.empty() ? "" : " ", Italic(flag.value));
  StrAppend(page, "\n", Sentence(flag.words), "\n");
  if (!flag.choices.empty()) StrAppend(page, "One of ", absl::StrJoin(BoldNames(flag.choices), ", "), ".\n");
  if (!flag.default_text.empty()) StrAppend(page, "Default: ", Bold(flag.default_text), ".\n");
  if (!flag.variable.empty()) StrAppend(page, "Read from ", Bold(flag.variable), " where it is not given.\n");
  if (flag.is_list) StrAppend(page, "May be given several times.\n");
}

void AppendFlags(const CommandDoc& doc, std::string& page) {
  for (const FlagDoc& operand : doc.operands) AppendFlag(operand, page);
  for (const FlagDoc& flag : doc.flags) AppendFlag(flag, page);
}

// "spanloom store check [OPTIONS]".
std::string Synopsis(const CommandDoc& doc, std::string_view path) {
  std::string line = StrCat(Bold(path), doc.flags.empty() ? "" : StrCat(" [", Italic("OPTIONS"), "]"));
  if (!doc.commands.empty()) StrAppend(line, " [", Italic("COMMAND"), "]");
  for (const FlagDoc& operand : doc.operands) {
    const std::string shown = StrCat(Italic(operand.value), operand.is_list ? "..." : "");
    StrAppend(line, " ", operand.is_required ? shown : StrCat("[", shown, "]"));
  }
  return line;
}

void AppendCommands(const CommandDoc& doc, std::string_view path, std::string& page) {
  for (const CommandDoc& inner : doc.commands) {
    std::vector<std::string> names = {inner.name};
    names.insert(names.end(), inner.aliases.begin(), inner.aliases.end());
    StrAppend(page, ".SS ", Plain(absl::StrJoin(names, ", ")), "\n", Synopsis(inner, StrCat(path, " ", inner.name)),
              "\n.PP\n", Sentence(inner.words), "\n");
    if (inner.takes_outer_flags) StrAppend(page, "Takes the options above too.\n");
    AppendFlags(inner, page);
    AppendCommands(inner, StrCat(path, " ", inner.name), page);
  }
}

void CollectVariables(const CommandDoc& doc, std::set<std::string>& lines) {
  for (const FlagDoc& flag : doc.flags) {
    if (flag.variable.empty()) continue;
    lines.insert(StrCat(".TP\n", Bold(flag.variable), "\nStands for ", Bold(flag.names.back()), ".\n"));
  }
  for (const CommandDoc& inner : doc.commands) CollectVariables(inner, lines);
}

std::string Head(std::string_view name, std::string_view words, const ManualOptions& options) {
  std::string what(words.substr(0, words.find_last_not_of('.') + 1));
  return StrCat(".\\\" Written by `spanloom man`.\n.TH ", absl::AsciiStrToUpper(Plain(name)), " ", kSection, " \"",
                options.date, "\" \"Spanloom ", options.version, "\" \"Spanloom\"\n.SH NAME\n", Plain(name), " \\- ",
                Plain(what), "\n");
}

void AppendEnd(const std::vector<std::string>& others, std::string& page) {
  std::vector<std::string> references;
  for (const std::string& name : others) references.push_back(StrCat(".BR ", Plain(name), " (", kSection, ")"));
  StrAppend(page, ".SH SEE ALSO\n", absl::StrJoin(references, " ,\n"), "\n");
}

// The page of one command; `name` is that of the page.
std::string Page(const CommandDoc& doc, const std::string& name, const std::string& path,
                 const ManualOptions& options) {
  std::string page = StrCat(Head(name, doc.words, options), ".SH SYNOPSIS\n", Synopsis(doc, path),
                            "\n.SH DESCRIPTION\n", Sentence(doc.words), "\n");
  if (!doc.footer.empty())
    StrAppend(page, ".PP\n", Plain(StdView(absl::StripAsciiWhitespace(AbslView(doc.footer)))), "\n");
  StrAppend(page, ".SH OPTIONS\n");
  AppendFlags(doc, page);
  return page;
}

}  // namespace

std::map<std::string, std::string> ManualPages(const CommandDoc& root, const ManualOptions& options) {
  std::map<std::string, std::string> pages;
  std::vector<std::string> names;
  std::string main = StrCat(Page(root, root.name, root.name, options), ".SH COMMANDS\n");
  for (const CommandDoc& command : root.commands) {
    const std::string name = StrCat(root.name, "-", command.name);
    const std::string path = StrCat(root.name, " ", command.name);
    names.push_back(name);
    StrAppend(main, ".TP\n", Bold(command.name), "\n", Sentence(command.words), "\n");
    std::string page = Page(command, name, path, options);
    if (!command.commands.empty()) StrAppend(page, ".SH COMMANDS\n");
    AppendCommands(command, path, page);
    std::set<std::string> variables;
    CollectVariables(command, variables);
    if (!variables.empty()) StrAppend(page, ".SH ENVIRONMENT\n", absl::StrJoin(variables, ""));
    AppendEnd({root.name}, page);
    pages.emplace(StrCat(name, ".", kSection), std::move(page));
  }
  AppendEnd(names, main);
  pages.emplace(StrCat(root.name, ".", kSection), std::move(main));
  return pages;
}

}  // namespace spanloom::cli::reference
