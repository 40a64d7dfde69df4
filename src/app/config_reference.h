// SPDX-License-Identifier: Apache-2.0
//
// The reference of the configuration, as docs/config holds it: made of the same declarations that read and check it.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "config/options.h"
#include "pipeline/registry.h"

namespace spanloom::app {

// One Markdown page per component, "service.md", and "README.md" that lists them; by file name.
std::map<std::string, std::string> ConfigReference(const pipeline::Registry& registry);

// The tables of one page: the keys of `docs`, a table for each section below them, and what is not supported.
std::string OptionTables(const std::vector<config::OptionDoc>& docs);

// The same for all components that this binary has.
std::map<std::string, std::string> ConfigReference();

}  // namespace spanloom::app
