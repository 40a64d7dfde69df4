// SPDX-License-Identifier: Apache-2.0

#include "pipeline/extensions/pprof_profile.h"

#include <absl/algorithm/container.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <map>
#include <utility>

#include "base/text.h"
#include "net/compression.h"
#include "otlp/wire/writer.h"

namespace spanloom::pipeline {
namespace {

// Fields of the messages of profile.proto.
struct ProfileField {
  static constexpr uint32_t kSampleType = 1, kSample = 2, kMapping = 3, kLocation = 4, kStringTable = 6, kTime = 9,
                            kDuration = 10, kPeriodType = 11, kPeriod = 12;
};
struct ValueTypeField {
  static constexpr uint32_t kType = 1, kUnit = 2;
};
struct SampleField {
  static constexpr uint32_t kLocations = 1, kValues = 2;
};
struct MappingField {
  static constexpr uint32_t kId = 1, kBegin = 2, kEnd = 3, kOffset = 4, kFile = 5;
};
struct LocationField {
  static constexpr uint32_t kId = 1, kMapping = 2, kAddress = 3;
};

using Stack = std::vector<uint64_t>;

class ProfileEncoder {
 public:
  explicit ProfileEncoder(const std::vector<CodeMapping>& mappings) : mappings_(mappings) { TextId(""); }

  std::string Encode(const CpuSamples& samples, int64_t begin_unix_ns, std::chrono::nanoseconds duration) {
    AddValueType(ProfileField::kSampleType, "samples", "count");
    AddValueType(ProfileField::kSampleType, "cpu", "nanoseconds");
    std::map<Stack, uint64_t> counts;
    for (const Stack& stack : samples.stacks) ++counts[stack];
    for (const auto& [stack, count] : counts) {
      AddSample(stack, count, static_cast<uint64_t>(samples.period.count()));
    }
    AddMappings();
    AddLocations();
    AddValueType(ProfileField::kPeriodType, "cpu", "nanoseconds");
    writer_.Varint(ProfileField::kTime, static_cast<uint64_t>(begin_unix_ns));
    writer_.Varint(ProfileField::kDuration, static_cast<uint64_t>(duration.count()));
    writer_.Varint(ProfileField::kPeriod, static_cast<uint64_t>(samples.period.count()));
    for (const std::string& text : texts_) writer_.Bytes(ProfileField::kStringTable, text);
    return std::move(out_);
  }

 private:
  uint64_t TextId(const std::string& text) {
    const auto [known, is_new] = text_ids_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(text);
    return known->second;
  }

  uint64_t LocationId(uint64_t address) {
    return location_ids_.try_emplace(address, location_ids_.size() + 1).first->second;
  }

  void AddValueType(uint32_t field, const std::string& type, const std::string& unit) {
    const auto mark = writer_.Begin(field);
    writer_.Varint(ValueTypeField::kType, TextId(type));
    writer_.Varint(ValueTypeField::kUnit, TextId(unit));
    writer_.End(mark);
  }

  void AddSample(const Stack& stack, uint64_t count, uint64_t period_ns) {
    const auto sample = writer_.Begin(ProfileField::kSample, 2);
    const auto locations = writer_.Begin(SampleField::kLocations, 2);
    for (size_t i = 0; i < stack.size(); ++i) {
      // A call may be the last instruction of its function: what returns behind it is looked up one byte earlier.
      writer_.PackedVarint(LocationId(stack[i] - (i == 0 ? 0 : 1)));
    }
    writer_.End(locations);
    const auto values = writer_.Begin(SampleField::kValues);
    writer_.PackedVarint(count);
    writer_.PackedVarint(count * period_ns);
    writer_.End(values);
    writer_.End(sample);
  }

  void AddMappings() {
    for (size_t i = 0; i < mappings_.size(); ++i) {
      const auto mark = writer_.Begin(ProfileField::kMapping);
      writer_.Varint(MappingField::kId, i + 1);
      writer_.Varint(MappingField::kBegin, mappings_[i].begin);
      writer_.Varint(MappingField::kEnd, mappings_[i].end);
      writer_.Varint(MappingField::kOffset, mappings_[i].file_offset);
      writer_.Varint(MappingField::kFile, TextId(mappings_[i].file));
      writer_.End(mark);
    }
  }

  void AddLocations() {
    for (const auto& [address, id] : location_ids_) {
      const auto mapping = absl::c_find_if(mappings_, [address = address](const CodeMapping& each) {
        return each.begin <= address && address < each.end;
      });
      const auto mark = writer_.Begin(ProfileField::kLocation);
      writer_.Varint(LocationField::kId, id);
      if (mapping != mappings_.end()) {
        writer_.Varint(LocationField::kMapping, static_cast<uint64_t>(mapping - mappings_.begin()) + 1);
      }
      writer_.Varint(LocationField::kAddress, address);
      writer_.End(mark);
    }
  }

  const std::vector<CodeMapping>& mappings_;
  std::string out_;
  otlp::wire::Writer writer_{out_};
  std::vector<std::string> texts_;  // the first one is ""
  std::map<std::string, uint64_t> text_ids_;
  std::map<uint64_t, uint64_t> location_ids_;  // by address; from 1
};

}  // namespace

std::vector<CodeMapping> ParseCodeMappings(std::string_view maps) {
  // "55d0-55e0 r-xp 00001000 08:01 1234    /usr/bin/x"
  std::vector<CodeMapping> mappings;
  for (const absl::string_view line : absl::StrSplit(AbslView(maps), '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 6 || fields[1].size() < 3 || fields[1][2] != 'x') continue;
    const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(fields[0], '-');
    CodeMapping mapping;
    if (!absl::SimpleHexAtoi(range.first, &mapping.begin) || !absl::SimpleHexAtoi(range.second, &mapping.end) ||
        !absl::SimpleHexAtoi(fields[2], &mapping.file_offset)) {
      continue;
    }
    mapping.file = std::string(line.substr(static_cast<size_t>(fields[5].data() - line.data())));
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

Bytes EncodeProfile(const CpuSamples& samples, const std::vector<CodeMapping>& mappings, int64_t begin_unix_ns,
                    std::chrono::nanoseconds duration) {
  const std::string profile = ProfileEncoder(mappings).Encode(samples, begin_unix_ns, duration);
  return net::Compress(net::Compression::kGzip, profile);
}

}  // namespace spanloom::pipeline
