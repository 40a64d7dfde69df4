// SPDX-License-Identifier: Apache-2.0
//
// The patterns of grok.h that need no definition, under the names that Logstash made common.

#include <utility>

#include "ottl/grok.h"

namespace spanloom::ottl {
namespace {

constexpr std::pair<std::string_view, std::string_view> kPatterns[] = {
    // Words and numbers.
    {"WORD", R"(\b\w+\b)"},
    {"NOTSPACE", R"(\S+)"},
    {"SPACE", R"(\s*)"},
    {"DATA", R"(.*?)"},
    {"GREEDYDATA", R"(.*)"},
    {"QUOTEDSTRING", R"("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`)"},
    {"QS", R"(%{QUOTEDSTRING})"},
    {"BOOL", R"(true|false)"},
    {"INT", R"([+-]?\d+)"},
    {"POSINT", R"(\b[1-9]\d*\b)"},
    {"NONNEGINT", R"(\b\d+\b)"},
    {"BASE10NUM", R"([+-]?(?:\d+(?:\.\d*)?|\.\d+))"},
    {"NUMBER", R"(%{BASE10NUM})"},
    {"BASE16NUM", R"([+-]?(?:0x)?[0-9A-Fa-f]+)"},
    {"BASE16FLOAT", R"([+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+))"},
    {"UUID", R"([0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12})"},
    {"URN", R"(urn:[0-9A-Za-z][0-9A-Za-z-]{0,31}:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+)"},
    // Users and hosts.
    {"USERNAME", R"([\w.-]+)"},
    {"USER", R"(%{USERNAME})"},
    {"EMAILLOCALPART", R"([\w!#$%&'*+/=?^`{|}~.-]+)"},
    {"EMAILADDRESS", R"(%{EMAILLOCALPART}@%{HOSTNAME})"},
    {"MAC", R"((?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4})"},
    {"IPV4", R"((?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d))"},
    {"IPV6",
     R"((?:(?:[0-9A-Fa-f]{1,4}:){6}(?:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}|%{IPV4})|(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,5})?::(?:(?:[0-9A-Fa-f]{1,4}:){0,5}(?:[0-9A-Fa-f]{1,4}|%{IPV4}))?)(?:%\w+)?)"},
    {"IP", R"(%{IPV6}|%{IPV4})"},
    {"HOSTNAME", R"(\b[0-9A-Za-z][0-9A-Za-z-]{0,62}(?:\.[0-9A-Za-z][0-9A-Za-z-]{0,62})*\.?)"},
    {"HOST", R"(%{HOSTNAME})"},
    {"IPORHOST", R"(%{IP}|%{HOSTNAME})"},
    {"HOSTPORT", R"(%{IPORHOST}:%{POSINT})"},
    // Paths.
    {"UNIXPATH", R"((?:/[\w%!$@:.,+~-]*)+)"},
    {"WINPATH", R"((?:[A-Za-z]:|\\)(?:\\[^\\?*]*)+)"},
    {"PATH", R"(%{UNIXPATH}|%{WINPATH})"},
    {"TTY", R"(/dev/(?:pts|tty(?:[pq])?)(?:\w+)?/?\d+)"},
    {"URIPROTO", R"([A-Za-z][A-Za-z0-9+.-]*)"},
    {"URIHOST", R"(%{IPORHOST}(?::%{POSINT})?)"},
    {"URIPATH", R"((?:/[\w$.+!*'(){},~:;=@#%&-]*)+)"},
    {"URIPARAM", R"(\?[\w$.+!*'|(){},~@#%&/=:;?<>\[\]-]*)"},
    {"URIPATHPARAM", R"(%{URIPATH}(?:%{URIPARAM})?)"},
    {"URI", R"(%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?)"},
    // Times.
    {"MONTH",
     R"(\b(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:tember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b)"},
    {"MONTHNUM", R"(0?[1-9]|1[0-2])"},
    {"MONTHDAY", R"(0[1-9]|[12]\d|3[01]|[1-9])"},
    {"DAY", R"(Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)"},
    {"YEAR", R"((?:\d\d){1,2})"},
    {"HOUR", R"(2[0-3]|[01]?\d)"},
    {"MINUTE", R"([0-5]\d)"},
    {"SECOND", R"((?:[0-5]?\d|60)(?:[:.,]\d+)?)"},
    {"TIME", R"(%{HOUR}:%{MINUTE}(?::%{SECOND})?)"},
    {"DATE_US", R"(%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR})"},
    {"DATE_EU", R"(%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR})"},
    {"DATE", R"(%{DATE_US}|%{DATE_EU})"},
    {"DATESTAMP", R"(%{DATE}[- ]%{TIME})"},
    {"TZ", R"([A-Z]{3,4})"},
    {"ISO8601_TIMEZONE", R"(Z|[+-]%{HOUR}(?::?%{MINUTE})?)"},
    {"TIMESTAMP_ISO8601",
     R"(%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?(?:%{ISO8601_TIMEZONE})?)"},
    {"SYSLOGTIMESTAMP", R"(%{MONTH} +%{MONTHDAY} %{TIME})"},
    {"HTTPDATE", R"(%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT})"},
    // Logs.
    {"PROG", R"([\x21-\x5a\x5c\x5e-\x7e]+)"},
    {"LOGLEVEL",
     R"((?i:trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|severe|alert|emerg(?:ency)?))"},
};

}  // namespace

std::string_view KnownGrokPattern(std::string_view name) {
  for (const auto& [known, pattern] : kPatterns) {
    if (known == name) return pattern;
  }
  return {};
}

}  // namespace spanloom::ottl
