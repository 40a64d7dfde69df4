// SPDX-License-Identifier: Apache-2.0
//
// All rules over all files of a user: each document by what it is, and then what they say together.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "doctor/document.h"
#include "doctor/finding.h"

namespace spanloom::doctor {

struct FileText {
  std::string name;  // as the user gave it
  std::string text;
};

struct Examination {
  std::vector<Finding> findings;  // by file in the order given, and by line
  size_t documents = 0;           // that were understood
};

// What each document says, and what they say together.
void CheckDocuments(std::span<const Document> documents, Findings& findings);

// A file that can't be read as YAML, or in which nothing is known, is a finding too.
[[nodiscard]] Examination Examine(std::span<const FileText> files);

}  // namespace spanloom::doctor
