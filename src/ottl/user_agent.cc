// SPDX-License-Identifier: Apache-2.0

#include "ottl/user_agent.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "base/text.h"

namespace spanloom::ottl {
namespace {

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The first `numbers_max` numbers at the beginning of `text`, put together by dots: of "13_5_1 like" 13.5.1.
std::string VersionAt(std::string_view text, int numbers_max = 3) {
  std::string version;
  for (int numbers = 0; numbers < numbers_max && !text.empty() && IsDigit(text[0]); ++numbers) {
    if (numbers > 0) version += '.';
    while (!text.empty() && IsDigit(text[0])) {
      version += text[0];
      text.remove_prefix(1);
    }
    const bool goes_on = text.size() > 1 && (text[0] == '.' || text[0] == '_') && IsDigit(text[1]);
    if (!goes_on) break;
    text.remove_prefix(1);
  }
  return version;
}

// What stands behind `mark`; nullopt if it is not there.
std::optional<std::string_view> Behind(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  return at == std::string_view::npos ? std::nullopt : std::optional(text.substr(at + mark.size()));
}

struct Browser {
  std::string_view mark;  // in front of its version
  std::string_view name;
  std::string_view mobile_name = {};  // "" if it is the same
};

// In the order in which they are looked for: most say that they are Chrome and Safari as well.
constexpr Browser kBrowsers[] = {
    {"Edg/", "Edge"},
    {"EdgA/", "Edge Mobile"},
    {"EdgiOS/", "Edge Mobile"},
    {"Edge/", "Edge"},
    {"OPR/", "Opera", "Opera Mobile"},
    {"SamsungBrowser/", "Samsung Internet"},
    {"YaBrowser/", "Yandex Browser"},
    {"Vivaldi/", "Vivaldi"},
    {"HeadlessChrome/", "HeadlessChrome"},
    {"FxiOS/", "Firefox iOS"},
    {"CriOS/", "Chrome Mobile iOS"},
    {"Firefox/", "Firefox", "Firefox Mobile"},
    {"Chromium/", "Chromium"},
    {"Chrome/", "Chrome", "Chrome Mobile"},
};

// Programs and libraries that name themselves first.
constexpr std::string_view kPrograms[] = {
    "curl",
    "Wget",
    "python-requests",
    "python-urllib3",
    "Python-urllib",
    "aiohttp",
    "httpx",
    "okhttp",
    "Go-http-client",
    "Java",
    "Apache-HttpClient",
    "Jetty",
    "axios",
    "node-fetch",
    "undici",
    "got",
    "PostmanRuntime",
    "insomnia",
    "HTTPie",
    "k6",
    "ApacheBench",
    "hey",
    "wrk",
    "vegeta",
    "kube-probe",
    "Prometheus",
    "Grafana",
    "ELB-HealthChecker",
    "GoogleHC",
    "Envoy",
    "Ruby",
    "Faraday",
    "GuzzleHttp",
    "libwww-perl",
    "Dalvik",
    "reqwest",
};

// Crawlers whose names do not end as those of others.
constexpr std::string_view kCrawlers[] = {"facebookexternalhit", "WhatsApp", "Google-InspectionTool", "ia_archiver",
                                          "Mediapartners-Google"};

bool IsNamePart(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

// The first word of which the end is that of a crawler: "Googlebot", "YandexBot", "Baiduspider".
std::string_view CrawlerIn(std::string_view text) {
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && IsNamePart(text[end])) ++end;
    const std::string_view word = text.substr(begin, end - begin);
    for (const std::string_view ending : {"bot", "spider", "crawler"}) {
      if (word.size() > ending.size() && absl::EndsWithIgnoreCase(AbslView(word), AbslView(ending))) return word;
    }
    if (std::find(std::begin(kCrawlers), std::end(kCrawlers), word) != std::end(kCrawlers)) return word;
    begin = end + 1;
  }
  return {};
}

bool FindCrawler(std::string_view text, UserAgent& agent) {
  const std::string_view name = CrawlerIn(text);
  if (name.empty()) return false;
  agent.name = name;
  const std::string_view rest = *Behind(text, name);
  if (rest.starts_with('/')) agent.version = VersionAt(rest.substr(1));
  return true;
}

bool FindProgram(std::string_view text, UserAgent& agent) {
  const size_t slash = text.find('/');
  const std::string_view first = text.substr(0, std::min(slash, text.find(' ')));
  const bool is_exporter = first.starts_with("OTel-OTLP-Exporter-");
  const bool is_known =
      is_exporter || std::find(std::begin(kPrograms), std::end(kPrograms), first) != std::end(kPrograms);
  if (is_known) {
    agent.name = first;
    if (slash == first.size()) agent.version = VersionAt(text.substr(slash + 1));
    return true;
  }
  // "OTel OTLP Exporter Go/1.34.0"
  if (slash == std::string_view::npos || !text.starts_with("OTel OTLP Exporter ")) return false;
  agent.name = text.substr(0, slash);
  agent.version = VersionAt(text.substr(slash + 1));
  return true;
}

bool FindInternetExplorer(std::string_view text, UserAgent& agent) {
  auto version = Behind(text, "MSIE ");
  if (!version && Has(text, "Trident/")) version = Behind(text, "rv:");
  if (!version) return false;
  agent.name = "IE";
  agent.version = VersionAt(*version);
  return true;
}

bool FindOldOpera(std::string_view text, UserAgent& agent) {
  if (!text.starts_with("Opera/")) return false;
  agent.name = Has(text, "Opera Mini") ? "Opera Mini" : "Opera";
  agent.version = VersionAt(Behind(text, "Version/").value_or(text.substr(6)));
  return true;
}

bool FindBrowser(std::string_view text, UserAgent& agent) {
  const bool is_mobile = Has(text, "Mobile") || Has(text, "Android");
  for (const Browser& browser : kBrowsers) {
    const auto version = Behind(text, browser.mark);
    if (!version) continue;
    const bool is_phone = browser.mark == "Chrome/" ? Has(text, "Mobile") : is_mobile;
    agent.name = is_phone && !browser.mobile_name.empty() ? browser.mobile_name : browser.name;
    if (browser.mark == "Chrome/" && Has(text, "; wv)")) agent.name = "Chrome Mobile WebView";
    agent.version = VersionAt(*version);
    return true;
  }
  const auto safari = Behind(text, "Version/");
  if (!safari || !Has(text, "Safari/")) return false;
  agent.name = Has(text, "Android") ? "Android" : is_mobile ? "Mobile Safari" : "Safari";
  agent.version = VersionAt(*safari);
  return true;
}

// The names of Windows by the numbers of its kernel.
std::string WindowsVersion(std::string_view kernel) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"10.0", "10"}, {"6.3", "8.1"}, {"6.2", "8"}, {"6.1", "7"}, {"6.0", "Vista"}, {"5.2", "XP"}, {"5.1", "XP"}};
  const std::string version = VersionAt(kernel, 2);
  for (const auto& [number, name] : kNames) {
    if (number == version) return std::string(name);
  }
  return version;
}

struct System {
  std::string_view mark;
  std::string_view name;
  bool has_version = true;  // behind the mark
};

// In the order in which they are looked for: Android is a Linux, and an iPhone is "like Mac OS X".
constexpr System kSystems[] = {
    {"Windows Phone ", "Windows Phone"},
    {"CPU iPhone OS ", "iOS"},
    {"CPU OS ", "iOS"},
    {"iPhone OS ", "iOS"},
    {"iOS ", "iOS"},
    {"iPhone", "iOS", false},
    {"Android ", "Android"},
    {"Android", "Android", false},
    {"Mac OS X ", "Mac OS X"},
    {"Macintosh", "Mac OS X", false},
    {"Ubuntu/", "Ubuntu"},
    {"Ubuntu", "Ubuntu", false},
    {"FreeBSD ", "FreeBSD"},
    {"Linux/", "Linux"},
    {"Linux", "Linux", false},
    {"linux", "Linux", false},
    {"Windows", "Windows", false},
};

void FindSystem(std::string_view text, UserAgent& agent) {
  if (const auto windows = Behind(text, "Windows NT ")) {
    agent.os_name = "Windows";
    agent.os_version = WindowsVersion(*windows);
    return;
  }
  if (const auto chrome_os = Behind(text, "CrOS ")) {
    agent.os_name = "Chrome OS";
    agent.os_version = VersionAt(Behind(*chrome_os, " ").value_or(""));
    return;
  }
  for (const System& system : kSystems) {
    const auto behind = Behind(text, system.mark);
    if (!behind) continue;
    agent.os_name = system.name;
    if (system.has_version) agent.os_version = VersionAt(*behind);
    return;
  }
}

}  // namespace

UserAgent ParseUserAgent(std::string_view text) {
  UserAgent agent;
  FindSystem(text, agent);
  for (const auto find : {FindCrawler, FindProgram, FindOldOpera, FindInternetExplorer, FindBrowser}) {
    if (find(text, agent)) return agent;
  }
  return agent;
}

}  // namespace spanloom::ottl
