// SPDX-License-Identifier: Apache-2.0

#include "ottl/go_url.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ottl/lexer.h"

namespace spanloom::ottl {
namespace {

// Where a text stands in a URL, which decides what has to be escaped there.
enum class Part : uint8_t { kPath, kUser, kHost, kZone, kQuery, kFragment };

bool IsAlphanumeric(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c));
}

constexpr std::string_view kUnreserved = "-_.~";
constexpr std::string_view kUserTakes = "-._:~!$&'()*+,;=%@";   // beside letters and digits
constexpr std::string_view kWrittenTakes = "!$&'()*+,;=:@[]%";  // in a path or fragment that stays as it is written

bool Holds(std::string_view set, char c) {
  return set.find(c) != std::string_view::npos;
}

// Beside letters, digits and "-_.~".
std::string_view PlainCharacters(Part part) {
  switch (part) {
    case Part::kPath:
      return "$&+,/:;=@";
    case Part::kUser:
      return "$&+,;=";
    case Part::kHost:
    case Part::kZone:
      return "!$&'()*+,;=:[]<>\"";
    case Part::kQuery:
      return "";
    case Part::kFragment:
      return "$&+,/:;=?@!()*";
  }
  return "";
}

bool IsPlain(char c, Part part) {
  return IsAlphanumeric(c) || Holds(kUnreserved, c) || Holds(PlainCharacters(part), c);
}

std::string Escaped(std::string_view text, Part part) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    if (IsPlain(c, part)) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += kDigits[byte >> 4];
    escaped += kDigits[byte & 15];
  }
  return escaped;
}

Status Malformed(std::string_view reason) {
  return absl::InvalidArgumentError(AbslView(reason));
}

// The byte that "%XX", at the start of `text`, stands for; of a host only what Go takes there.
StatusOr<char> EscapedByte(std::string_view text, Part part) {
  const std::string_view escape = text.substr(0, 3);
  const bool is_escape = escape.size() == 3 && absl::ascii_isxdigit(static_cast<unsigned char>(escape[1])) &&
                         absl::ascii_isxdigit(static_cast<unsigned char>(escape[2]));
  const auto malformed = [escape] { return Malformed("invalid URL escape " + Quoted(escape)); };
  if (!is_escape) return malformed();
  const char byte = absl::HexStringToBytes(AbslView(escape.substr(1)))[0];
  const bool is_ascii = static_cast<unsigned char>(byte) < 0x80;
  const bool is_percent = escape == "%25";
  if (part == Part::kHost && is_ascii && !is_percent) return malformed();
  if (part == Part::kZone && byte != ' ' && !is_percent && !IsPlain(byte, Part::kHost)) return malformed();
  return byte;
}

StatusOr<std::string> Unescaped(std::string_view text, Part part) {
  const bool is_host = part == Part::kHost || part == Part::kZone;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      ASSIGN_OR_RETURN(const char byte, EscapedByte(text.substr(i), part));
      plain += byte;
      i += 2;
      continue;
    }
    if (is_host && static_cast<unsigned char>(c) < 0x80 && !IsPlain(c, part)) {
      return Malformed("invalid character " + Quoted(text.substr(i, 1)) + " in host name");
    }
    plain += part == Part::kQuery && c == '+' ? ' ' : c;
  }
  return plain;
}

// `written` if nothing in it would have to be escaped, else `plain` escaped.
std::string WrittenOrEscaped(std::string_view written, std::string_view plain, Part part) {
  const bool is_taken = std::all_of(written.begin(), written.end(),
                                    [part](char c) { return Holds(kWrittenTakes, c) || IsPlain(c, part); });
  if (is_taken) return std::string(written);
  return Escaped(plain, part);
}

// "" or ":" and digits.
bool IsPort(std::string_view text) {
  return text.empty() || (text[0] == ':' && text.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

Status CheckPort(std::string_view text) {
  return IsPort(text) ? absl::OkStatus() : Malformed("invalid port " + Quoted(text) + " after host");
}

bool IsIpV6(std::string_view text) {
  const size_t zone = text.find('%');
  if (zone != std::string_view::npos && zone + 1 == text.size()) return false;
  std::array<char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET6, std::string(text.substr(0, zone)).c_str(), bytes.data()) == 1;
}

// "[ADDRESS]" or "[ADDRESS%25ZONE]", and perhaps a port.
StatusOr<std::string> BracketedHost(std::string_view text) {
  const size_t end = text.rfind(']');
  if (end == std::string_view::npos) return Malformed("missing ']' in host");
  RETURN_IF_ERROR(CheckPort(text.substr(end + 1)));
  const std::string_view inside = text.substr(1, end - 1);
  const size_t zone = std::min(inside.find("%25"), inside.size());
  ASSIGN_OR_RETURN(std::string address, Unescaped(inside.substr(0, zone), Part::kHost));
  ASSIGN_OR_RETURN(const std::string zone_name, Unescaped(inside.substr(zone), Part::kZone));
  address += zone_name;
  if (!IsIpV6(address)) return Malformed("invalid host: ParseAddr(" + Quoted(address) + ")");
  return StrCat("[", address, "]", text.substr(end + 1));
}

StatusOr<std::string> ReadHost(std::string_view scheme, std::string_view text) {
  const size_t bracket = text.rfind('[');
  if (bracket == 0) return BracketedHost(text);
  if (bracket != std::string_view::npos) return Malformed("invalid IP-literal");
  // A host of http has no colon; of others it may, as where it is a list of hosts with ports.
  const bool is_http = scheme == "http" || scheme == "https";
  const size_t colon = is_http ? text.find(':') : text.rfind(':');
  if (colon != std::string_view::npos) RETURN_IF_ERROR(CheckPort(text.substr(colon)));
  return Unescaped(text, Part::kHost);
}

// The scheme in front of a colon, or an empty one.
StatusOr<std::string_view> SchemeOf(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (absl::ascii_isalpha(static_cast<unsigned char>(c))) continue;
    const bool may_follow = absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
    if (may_follow && i > 0) continue;
    if (c != ':') return std::string_view();
    if (i == 0) return Malformed("missing protocol scheme");
    return text.substr(0, i);
  }
  return std::string_view();
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

Status WithUrl(std::string_view url, const Status& fault) {
  if (fault.ok()) return fault;
  return Malformed(StrCat("parse ", Quoted(url), ": ", StdView(fault.message())));
}

bool HasColonInFirstSegment(std::string_view path) {
  return path.substr(0, path.find('/')).find(':') != std::string_view::npos;
}

}  // namespace

StatusOr<GoUrl> GoUrl::Parse(std::string_view text) {
  GoUrl url;
  const size_t hash = text.find('#');
  const std::string_view address = text.substr(0, hash);
  RETURN_IF_ERROR(WithUrl(address, url.ReadAddress(address)));
  if (hash == std::string_view::npos) return url;
  url.written_fragment_ = std::string(text.substr(hash + 1));
  auto fragment = Unescaped(url.written_fragment_, Part::kFragment);
  RETURN_IF_ERROR(WithUrl(text, fragment.status()));
  url.fragment = *std::move(fragment);
  return url;
}

// All but the fragment.
Status GoUrl::ReadAddress(std::string_view text) {
  if (HasControl(text)) return Malformed("net/url: invalid control character in URL");
  ASSIGN_OR_RETURN(const std::string_view written_scheme, SchemeOf(text));
  scheme = absl::AsciiStrToLower(AbslView(written_scheme));
  std::string_view rest = text.substr(scheme.empty() ? 0 : scheme.size() + 1);
  const size_t mark = rest.find('?');
  has_query_ = mark != std::string_view::npos;
  if (has_query_) query = std::string(rest.substr(mark + 1));
  rest = rest.substr(0, mark);
  if (!rest.starts_with('/')) {
    if (!scheme.empty()) {
      opaque = std::string(rest);
      return absl::OkStatus();
    }
    if (HasColonInFirstSegment(rest)) return Malformed("first path segment in URL cannot contain colon");
  }
  if (rest.starts_with("//") && (!scheme.empty() || !rest.starts_with("///"))) {
    const size_t end = std::min(rest.find('/', 2), rest.size());
    RETURN_IF_ERROR(ReadAuthority(rest.substr(2, end - 2)));
    rest.remove_prefix(end);
  } else {
    omits_host_ = !scheme.empty();
  }
  written_path_ = std::string(rest);
  ASSIGN_OR_RETURN(path, Unescaped(rest, Part::kPath));
  return absl::OkStatus();
}

Status GoUrl::ReadAuthority(std::string_view authority) {
  const size_t at = authority.rfind('@');
  const bool has_user = at != std::string_view::npos;
  ASSIGN_OR_RETURN(host, ReadHost(scheme, authority.substr(has_user ? at + 1 : 0)));
  return has_user ? ReadUser(authority.substr(0, at)) : absl::OkStatus();
}

Status GoUrl::ReadUser(std::string_view info) {
  const bool is_valid =
      std::all_of(info.begin(), info.end(), [](char c) { return IsAlphanumeric(c) || Holds(kUserTakes, c); });
  if (!is_valid) return Malformed("net/url: invalid userinfo");
  const size_t colon = info.find(':');
  ASSIGN_OR_RETURN(user, Unescaped(info.substr(0, colon), Part::kUser));
  if (colon == std::string_view::npos) return absl::OkStatus();
  ASSIGN_OR_RETURN(password, Unescaped(info.substr(colon + 1), Part::kUser));
  return absl::OkStatus();
}

std::string GoUrl::Port() const {
  const size_t colon = host.rfind(':');
  if (colon == std::string::npos || !IsPort(std::string_view(host).substr(colon))) return {};
  return host.substr(colon + 1);
}

std::string GoUrl::HostName() const {
  std::string_view name = host;
  const size_t colon = name.rfind(':');
  if (colon != std::string_view::npos && IsPort(name.substr(colon))) name = name.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  return std::string(name);
}

std::string GoUrl::UserInfo() const {
  if (!user) return {};
  std::string info = Escaped(*user, Part::kUser);
  if (password) StrAppend(info, ":", Escaped(*password, Part::kUser));
  return info;
}

std::string GoUrl::ToString() const {
  std::string text = scheme.empty() ? "" : scheme + ":";
  text += opaque.empty() ? ToHierarchy() : opaque;
  if (has_query_) StrAppend(text, "?", query);
  if (!fragment.empty()) StrAppend(text, "#", WrittenOrEscaped(written_fragment_, fragment, Part::kFragment));
  return text;
}

// Authority and path.
std::string GoUrl::ToHierarchy() const {
  std::string text;
  const bool has_authority = !host.empty() || user.has_value();
  const bool is_behind_scheme = !scheme.empty() && !omits_host_ && !path.empty();
  if (has_authority || is_behind_scheme) text += "//";
  if (user) StrAppend(text, UserInfo(), "@");
  text += Escaped(host, Part::kHost);
  const std::string written = WrittenOrEscaped(written_path_, path, Part::kPath);
  if (scheme.empty() && text.empty() && HasColonInFirstSegment(written)) text += "./";
  return text + written;
}

StatusOr<std::map<std::string, std::vector<std::string>>> ParseGoQuery(std::string_view query) {
  std::map<std::string, std::vector<std::string>> values;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.find(';') != std::string_view::npos) return Malformed("invalid semicolon separator in query");
    if (pair.empty()) continue;
    const size_t sign = std::min(pair.find('='), pair.size());
    ASSIGN_OR_RETURN(std::string key, Unescaped(pair.substr(0, sign), Part::kQuery));
    ASSIGN_OR_RETURN(std::string value, Unescaped(pair.substr(std::min(sign + 1, pair.size())), Part::kQuery));
    values[std::move(key)].push_back(std::move(value));
  }
  return values;
}

}  // namespace spanloom::ottl
