// SPDX-License-Identifier: Apache-2.0

#include "ottl/user_agent.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "base/text.h"

namespace spanloom::ottl {
namespace {

// "name version | system version"
std::string Shown(std::string_view text) {
  const UserAgent agent = ParseUserAgent(text);
  return StrCat(agent.name, " ", agent.version, " | ", agent.os_name, " ", agent.os_version);
}

TEST(UserAgent, KnowsBrowsers) {
  constexpr std::string_view kLinux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ";
  EXPECT_EQ(Shown(StrCat(kLinux, "Chrome/51.0.2704.103 Safari/537.36")), "Chrome 51.0.2704 | Linux ");
  EXPECT_EQ(Shown(StrCat(kLinux, "Chrome/51.0.2704.106 Safari/537.36 OPR/38.0.2220.41")), "Opera 38.0.2220 | Linux ");
  EXPECT_EQ(Shown(StrCat(kLinux, "HeadlessChrome/120.0.0.0 Safari/537.36")), "HeadlessChrome 120.0.0 | Linux ");
  EXPECT_EQ(Shown("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"),
            "Firefox 126.0 | Ubuntu ");
  EXPECT_EQ(Shown("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/91.0.4472.124 Safari/537.36 Edg/91.0.864.59"),
            "Edge 91.0.864 | Windows 10");
  EXPECT_EQ(Shown("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "Version/17.4 Safari/605.1.15"),
            "Safari 17.4 | Mac OS X 10.15.7");
  EXPECT_EQ(Shown("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko"), "IE 11.0 | Windows 7");
  EXPECT_EQ(Shown("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
                  "Safari/537.36"),
            "Chrome 124.0.0 | Chrome OS 14541.0.0");
  EXPECT_EQ(Shown("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18"), "Opera 12.18 | Windows 7");
}

TEST(UserAgent, KnowsThemOnPhones) {
  EXPECT_EQ(Shown("Mozilla/5.0 (Linux; Android 4.1.1; SPH-L710 Build/JRO03L) AppleWebKit/535.19 (KHTML, like Gecko) "
                  "Chrome/18.0.1025.166 Mobile Safari/535.19"),
            "Chrome Mobile 18.0.1025 | Android 4.1.1");
  EXPECT_EQ(Shown("Mozilla/5.0 (iPhone; CPU iPhone OS 13_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                  "Version/13.1.1 Mobile/15E148 Safari/604.1"),
            "Mobile Safari 13.1.1 | iOS 13.5.1");
  EXPECT_EQ(Shown("Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0"),
            "Firefox Mobile 126.0 | Android 14");
  EXPECT_EQ(Shown("Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
                  "Chrome/124.0.6367.82 Mobile Safari/537.36"),
            "Chrome Mobile WebView 124.0.6367 | Android 14");
}

TEST(UserAgent, KnowsProgramsAndCrawlers) {
  EXPECT_EQ(Shown("curl/7.81.0"), "curl 7.81.0 | Other ");
  EXPECT_EQ(Shown("Wget/1.21.2 (linux-gnu)"), "Wget 1.21.2 | Linux ");
  EXPECT_EQ(Shown("python-requests/2.31.0"), "python-requests 2.31.0 | Other ");
  EXPECT_EQ(Shown("Go-http-client/1.1"), "Go-http-client 1.1 | Other ");
  EXPECT_EQ(Shown("okhttp/4.12.0"), "okhttp 4.12.0 | Other ");
  EXPECT_EQ(Shown("Java/17.0.9"), "Java 17.0.9 | Other ");
  EXPECT_EQ(Shown("kube-probe/1.29"), "kube-probe 1.29 | Other ");
  EXPECT_EQ(Shown("OTel-OTLP-Exporter-Python/1.25.0"), "OTel-OTLP-Exporter-Python 1.25.0 | Other ");
  EXPECT_EQ(Shown("OTel OTLP Exporter Go/1.34.0"), "OTel OTLP Exporter Go 1.34.0 | Other ");
  EXPECT_EQ(Shown("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
            "Googlebot 2.1 | Other ");
  EXPECT_EQ(Shown("Mozilla/5.0 (compatible; YandexBot/3.0)"), "YandexBot 3.0 | Other ");
  EXPECT_EQ(Shown("facebookexternalhit/1.1"), "facebookexternalhit 1.1 | Other ");
}

TEST(UserAgent, CallsTheRestOther) {
  EXPECT_EQ(Shown("foobar/1.2.3 (foo; bar baz)"), "Other  | Other ");
  EXPECT_EQ(Shown("OpenTelemetry Collector Contrib/0.106.1 (linux/amd64)"), "Other  | Linux ");
  EXPECT_EQ(Shown(""), "Other  | Other ");
}

TEST(UserAgentProperty, TakesAnyText) {
  constexpr std::string_view kParts[] = {"Mozilla/",
                                         "Chrome/",
                                         "bot",
                                         " ",
                                         ";",
                                         "1.2_3",
                                         "Version/",
                                         "Windows NT ",
                                         "/",
                                         "CrOS ",
                                         "curl",
                                         "\xff",
                                         "OTel OTLP Exporter ",
                                         "MSIE ",
                                         "Opera/"};
  Rng random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (size_t size = random.Below(8); size > 0; --size) text += kParts[random.Below(std::size(kParts))];
    const UserAgent agent = ParseUserAgent(text);
    EXPECT_FALSE(agent.name.empty()) << text;
    EXPECT_FALSE(agent.os_name.empty()) << text;
  }
}

}  // namespace
}  // namespace spanloom::ottl
