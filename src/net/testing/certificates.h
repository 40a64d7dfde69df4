// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests, made while they run: an authority, and what it signs.

#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace spanloom::net {

// A certificate and its key, as PEM.
struct TestCertificate {
  std::string certificate;
  std::string key;
};

// Signs with a P-256 key. Everything is valid from yesterday until tomorrow.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  // The authority's own certificate, as PEM.
  [[nodiscard]] const std::string& certificate() const { return certificate_; }

  // A certificate for `subject` and the names and addresses given as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
  [[nodiscard]] TestCertificate Issue(const std::string& subject, const std::string& alternative_names) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::string certificate_;
};

// A directory of files that goes with it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  // The path of `name` in the folder.
  [[nodiscard]] std::string PathOf(const std::string& name) const { return (path_ / name).string(); }

  // Puts `content` there at once, as a rename does; returns its path.
  std::string Write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace spanloom::net
