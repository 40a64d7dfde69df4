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
#include "ottl/go_url.h"
#include "ottl/lexer.h"
#include "ottl/text_format.h"

namespace spanloom::ottl {
namespace {

using Kind = Value::Kind;
using Type = ParameterType;

// {"query": {name: [values]}}; empty without any.
Value DescribedQuery(Evaluation& e, std::string_view query) {
  const auto parameters = ParseGoQuery(query);
  if (!parameters.ok()) return e.Fail(std::string(parameters.status().message()));
  std::vector<Entry> entries;
  for (const auto& [name, texts] : *parameters) {
    std::vector<Value> values;
    values.reserve(texts.size());
    for (const std::string& text : texts) values.push_back(e.NewString(text));
    entries.push_back({e.arena().Copy(name), e.NewList(values)});
  }
  std::vector<Entry> whole;
  if (!entries.empty()) whole.push_back({"query", e.NewMap(entries)});
  return e.NewMap(whole);
}

Value Described(Evaluation& e, const GoUrl& url) {
  std::vector<Entry> entries = {{"url.original", e.NewString(url.ToString())},
                                {"url.domain", e.NewString(url.HostName())},
                                {"url.scheme", e.NewString(url.scheme)},
                                {"url.path", e.NewString(url.path)}};
  const auto put = [&](std::string_view key, const std::string& text) { entries.push_back({key, e.NewString(text)}); };
  if (const std::string digits = url.Port(); !digits.empty()) {
    const auto port = ParseInteger(digits);
    if (!port) return e.Fail(StrCat("strconv.Atoi: parsing ", Quoted(digits), ": value out of range"));
    entries.push_back({"url.port", Value::Int(*port)});
  }
  if (!url.fragment.empty()) put("url.fragment", url.fragment);
  if (url.user) put("url.user_info", url.UserInfo());
  if (url.user && !url.user->empty()) put("url.username", *url.user);
  if (url.password) put("url.password", *url.password);
  if (!url.query.empty()) put("url.query", url.query);
  const size_t dot = url.path.rfind('.');
  if (dot != std::string::npos && dot + 1 < url.path.size()) put("url.extension", url.path.substr(dot + 1));
  return e.NewMap(entries);
}

Value Url(Evaluation& e, const Arguments& a) {
  const std::string_view text = a[0].text();
  if (text.empty()) return e.Fail("url cannot be empty");
  if (text.starts_with('?')) return DescribedQuery(e, text.substr(1));
  const auto url = GoUrl::Parse(text);
  return url.ok() ? Described(e, *url) : e.Fail(std::string(url.status().message()));
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
