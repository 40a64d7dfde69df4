// SPDX-License-Identifier: Apache-2.0

#include "net/testing/fake_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/check.h"
#include "base/text.h"

namespace spanloom::net {
namespace {

int ConnectTo(uint16_t port) {
  const int connected = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(connected, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  return connected;
}

// Passes on what has come; false at the end.
bool Pass(int from, int to) {
  std::array<char, 16384> piece;
  const ssize_t bytes = recv(from, piece.data(), piece.size(), 0);
  for (ssize_t done = 0; done < bytes;) {
    const ssize_t sent = send(to, piece.data() + done, static_cast<size_t>(bytes - done), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += sent;
  }
  return bytes > 0;
}

std::string ReadHead(int client) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n") && recv(client, &byte, 1, 0) == 1) head.push_back(byte);
  return head;
}

}  // namespace

FakeProxy::FakeProxy(uint16_t server_port) : server_port_(server_port), thread_([this] { Serve(); }) {}

FakeProxy::~FakeProxy() {
  {
    const MutexLock lock(mutex_);
    is_ending_ = true;
  }
  const std::string endpoint = listener_.endpoint();
  close(ConnectTo(static_cast<uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1)))));
  thread_.join();
  for (std::thread& carrier : carriers_) carrier.join();
}

std::string FakeProxy::last_connect() const {
  const MutexLock lock(mutex_);
  return last_connect_;
}

void FakeProxy::Serve() {
  while (true) {
    const int client = listener_.AcceptSocket();
    const MutexLock lock(mutex_);
    if (is_ending_) {
      close(client);
      return;
    }
    carriers_.emplace_back([this, client] { Carry(client); });
  }
}

void FakeProxy::Carry(int client) {
  const std::string head = ReadHead(client);
  {
    const MutexLock lock(mutex_);
    last_connect_ = head;
  }
  const int server = ConnectTo(server_port_);
  const std::string_view answer = "HTTP/1.1 200 Connection established\r\nVia: 1.1 fake\r\n\r\n";
  bool goes_on = send(client, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  while (goes_on) {
    std::array<pollfd, 2> both = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    CHECK(poll(both.data(), both.size(), -1) > 0);
    if (both[0].revents != 0) goes_on = Pass(client, server);
    if (goes_on && both[1].revents != 0) goes_on = Pass(server, client);
  }
  close(client);
  close(server);
}

}  // namespace spanloom::net
