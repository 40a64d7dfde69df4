// SPDX-License-Identifier: Apache-2.0
//
// Doubles as text, with the fewest digits that are this number and no other: in the forms that programs in Go have,
// which files and logs of the Collector show.

#pragma once

#include <cstdint>
#include <string>

namespace spanloom {

enum class DoubleForm : uint8_t {
  kJson,     // an exponent below 1e-6 and from 1e21 on: 0.00001, 1e-07, 100000, 1e+21
  kPlain,    // never one: 0.0000001, 1000000000000000000000
  kGeneral,  // an exponent below 1e-4 and from 1e6 on, as the verb %v has it: 1e-05, 100000, 1e+06
};

// Appends `value`, which is finite.
void AppendShortest(double value, DoubleForm form, std::string& out);

}  // namespace spanloom
