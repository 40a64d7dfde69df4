// SPDX-License-Identifier: Apache-2.0
//
// Converters of URLs and of addresses on the network.

#include <absl/strings/escaping.h>
#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "ottl/digest.h"
#include "ottl/function_table.h"
#include "ottl/getter.h"
#include "ottl/letter_case.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

// Percent escapes resolved; nullopt if one is malformed.
std::optional<std::string> Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain.push_back(text[i]);
      continue;
    }
    const std::string_view digits = text.substr(i + 1, 2);
    if (digits.size() < 2 || digits.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos)
      return std::nullopt;
    plain += absl::HexStringToBytes(AbslView(digits));
    i += 2;
  }
  return plain;
}

// A URL taken apart, from its end and its beginning. RFC 3986, as Go's net/url reads it.
class UrlParts {
 public:
  UrlParts(Evaluation& e, std::string_view url) : e_(e), url_(url), rest_(url) {}

  Value Run() {
    const std::string_view fragment = CutBehind('#');
    const std::string_view query = CutBehind('?');
    const std::string_view scheme = TakeScheme();
    std::string_view authority;
    if (rest_.starts_with("//")) {
      rest_.remove_prefix(2);
      authority = rest_.substr(0, std::min(rest_.find('/'), rest_.size()));
      rest_.remove_prefix(authority.size());
    }
    Put("url.original", url_);
    PutAuthority(authority);
    Put("url.scheme", scheme);
    PutUnescaped("url.path", rest_);
    if (!query.empty()) Put("url.query", query);
    if (!fragment.empty()) PutUnescaped("url.fragment", fragment);
    if (const size_t dot = rest_.rfind('.');
        dot != std::string_view::npos && rest_.find('/', dot) == std::string_view::npos) {
      Put("url.extension", rest_.substr(dot + 1));
    }
    return e_.failed() ? Value() : e_.NewMap(entries_);
  }

 private:
  std::string_view CutBehind(char separator) {
    const size_t at = rest_.find(separator);
    if (at == std::string_view::npos) return {};
    const std::string_view behind = rest_.substr(at + 1);
    rest_ = rest_.substr(0, at);
    return behind;
  }

  std::string_view TakeScheme() {
    const size_t colon = rest_.find(':');
    if (colon == std::string_view::npos || colon == 0) return {};
    const std::string_view scheme = rest_.substr(0, colon);
    const bool is_scheme =
        scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.") ==
        std::string_view::npos;
    if (!is_scheme) return {};
    rest_.remove_prefix(colon + 1);
    return e_.arena().Copy(std::string_view(ToLower(scheme)));
  }

  void PutAuthority(std::string_view authority) {
    const size_t at = authority.rfind('@');
    if (at != std::string_view::npos) PutUser(authority.substr(0, at));
    std::string_view host = authority.substr(at == std::string_view::npos ? 0 : at + 1);
    const size_t bracket = host.rfind(']');
    const size_t colon = host.rfind(':');
    const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
    if (has_port) {
      PutPort(host.substr(colon + 1));
      host = host.substr(0, colon);
    }
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    PutUnescaped("url.domain", host);
  }

  void PutUser(std::string_view user) {
    const size_t colon = user.find(':');
    Put("url.user_info", user);
    PutUnescaped("url.username", user.substr(0, colon));
    if (colon != std::string_view::npos) PutUnescaped("url.password", user.substr(colon + 1));
  }

  void PutPort(std::string_view digits) {
    const auto port = ParseInteger(digits);
    if (!digits.empty() && (!port || *port < 0)) {
      e_.Fail(StrCat("URL: invalid port ", digits, " after host"));
    } else if (port) {
      entries_.push_back({"url.port", Value::Int(*port)});
    }
  }

  void Put(std::string_view key, std::string_view text) { entries_.push_back({key, Value::String(text)}); }
  void PutUnescaped(std::string_view key, std::string_view text) {
    const auto plain = Unescaped(text);
    if (plain) {
      entries_.push_back({key, e_.NewString(*plain)});
    } else {
      e_.Fail(StrCat("URL: invalid URL escape in ", key));
    }
  }

  Evaluation& e_;
  std::string_view url_;
  std::string_view rest_;
  std::vector<Entry> entries_;
};

Value Url(Evaluation& e, const Arguments& a) {
  if (a[0].text().empty()) return e.Fail("url cannot be empty");
  const std::string_view url = a[0].text();
  const bool has_control =
      std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control) return e.Fail("URL: invalid control character in URL");
  return UrlParts(e, url).Run();
}

// 4 or 16 bytes; nullopt if it is no address.
std::optional<std::string> AddressOf(std::string_view text) {
  const std::string address(text);
  std::string bytes(16, '\0');
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) {
    const bool is_mapped = bytes.starts_with(std::string_view("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12));
    return is_mapped ? bytes.substr(12) : bytes;
  }
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return bytes.substr(0, 4);
  return std::nullopt;
}

class Network {
 public:
  // nullopt unless it is ADDRESS/BITS.
  static std::optional<Network> Parse(std::string_view text) {
    constexpr int64_t kMappedBits = 96;  // in front of an address of 4 bytes that is written as one of 16
    const size_t slash = std::min(text.find('/'), text.size());
    const auto address = AddressOf(text.substr(0, slash));
    const std::string_view digits = text.substr(std::min(slash + 1, text.size()));
    const auto bits = ParseInteger(digits);
    if (!address || !bits || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    const bool is_long = text.find(':') != std::string_view::npos;
    if (*bits > (is_long ? 128 : 32)) return std::nullopt;
    Network network;
    network.address_ = *address;
    network.prefix_bits_ = *bits;
    if (!is_long || address->size() > 4) return network;
    network.prefix_bits_ -= kMappedBits;
    if (network.prefix_bits_ < 0) network.address_.clear();  // has none of the short ones
    return network;
  }

  [[nodiscard]] bool Contains(const std::string& address) const {
    if (address.size() != address_.size()) return false;
    for (int64_t bit = 0; bit < prefix_bits_; ++bit) {
      const auto index = static_cast<size_t>(bit / 8);
      const int mask = 0x80 >> bit % 8;
      if ((address[index] & mask) != (address_[index] & mask)) return false;
    }
    return true;
  }

 private:
  std::string address_;
  int64_t prefix_bits_ = 0;
};

Status NoNetwork(std::string_view text) {
  return absl::InvalidArgumentError(StrCat("invalid CIDR address: ", text));
}

// Those that stand in the text; nullopt if each call has its own.
class Networks final : public Prepared {
 public:
  explicit Networks(std::optional<std::vector<Network>> networks) : networks_(std::move(networks)) {}
  [[nodiscard]] const std::optional<std::vector<Network>>& networks() const { return networks_; }

 private:
  std::optional<std::vector<Network>> networks_;
};

PreparedOr PrepareNetworks(const Arguments& a) {
  if (!a[1].is(Kind::kList)) return std::make_unique<Networks>(std::nullopt);
  Arena arena;
  std::vector<Network> networks;
  for (const Value& element : ElementsOf(a[1], arena)) {
    auto network = Network::Parse(element.text());
    if (!network) return NoNetwork(element.text());
    networks.push_back(*std::move(network));
  }
  return std::make_unique<Networks>(std::move(networks));
}

// What is no address lies in no network. Networks behind one that has it are not looked at.
Value IsInCidr(Evaluation& e, const Arguments& a) {
  const auto address = AddressOf(a[0].text());
  if (!address) return Value::Bool(false);
  if (const auto& networks = a.as<Networks>().networks()) {
    return Value::Bool(std::any_of(networks->begin(), networks->end(),
                                   [&](const Network& network) { return network.Contains(*address); }));
  }
  for (const GetterPtr& choice : a.choices) {
    const Value value = choice->Get(e);
    const Value text = e.failed() ? Value() : ConvertArgument(e, Type::kString, value);
    if (e.failed()) return {};
    const auto network = Network::Parse(text.text());
    if (!network) return e.Fail(std::string(NoNetwork(text.text()).message()));
    if (network->Contains(*address)) return Value::Bool(true);
  }
  return Value::Bool(false);
}

std::optional<uint8_t> ProtocolNumber(std::string_view name) {
  constexpr std::pair<std::string_view, uint8_t> kProtocols[] = {{"ICMP", 1},  {"TCP", 6},    {"UDP", 17},
                                                                 {"RSVP", 46}, {"ICMP6", 58}, {"SCTP", 132}};
  for (const auto& [protocol, number] : kProtocols) {
    if (protocol == name) return number;
  }
  return std::nullopt;
}

std::string TwoBytes(int64_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number)};
}

// https://github.com/corelight/community-id-spec, version 1.
Value CommunityId(Evaluation& e, const Arguments& a) {
  auto source = AddressOf(a[0].text());
  auto destination = AddressOf(a[2].text());
  const auto protocol = ProtocolNumber(a.has(4) ? a[4].text() : "TCP");
  int64_t source_port = a[1].int_value();
  int64_t destination_port = a[3].int_value();
  const int64_t seed = a.has(5) ? a[5].int_value() : 0;
  if (!source || !destination) return e.Fail("CommunityID: invalid IP address");
  if (!protocol) return e.Fail(StrCat("CommunityID: unsupported protocol: ", a[4].text()));
  for (const int64_t number : {source_port, destination_port, seed}) {
    if (number < 0 || number > 65535) return e.Fail("CommunityID: ports and the seed must be between 0 and 65535");
  }
  // Both directions of a flow have the same id.
  if (std::pair(*source, source_port) > std::pair(*destination, destination_port)) {
    std::swap(source, destination);
    std::swap(source_port, destination_port);
  }
  const std::string flow = StrCat(TwoBytes(seed), *source, *destination, std::string(1, static_cast<char>(*protocol)),
                                  std::string(1, '\0'), TwoBytes(source_port), TwoBytes(destination_port));
  return e.NewString("1:" + absl::Base64Escape(DigestOf(Digest::kSha1, flow)));
}

constexpr Function kFunctions[] = {
    {"URL", {Parameter{"url", Type::kString}}, Url},
    {"IsInCIDR",
     {Parameter{"target", Type::kString},
      Parameter{.name = "networks", .type = Type::kChoices, .literal_type = Type::kStrings}},
     IsInCidr,
     PrepareNetworks,
     1 << 1},
    {"CommunityID",
     {Parameter{"sourceIP", Type::kString}, Parameter{"sourcePort", Type::kInt},
      Parameter{"destinationIP", Type::kString}, Parameter{"destinationPort", Type::kInt},
      Parameter{"protocol", Type::kString, true}, Parameter{"seed", Type::kInt, true}},
     CommunityId},
};

}  // namespace

std::span<const Function> AddressConverters() {
  return kFunctions;
}

}  // namespace spanloom::ottl
