// SPDX-License-Identifier: Apache-2.0

#include "ottl/program.h"

#include <string_view>
#include <utility>

#include "otlp/plain_attribute.h"

namespace spanloom::ottl {

size_t Program::SlotOf(AttributeSource source, std::string_view key) {
  TextTable& keys = keys_[static_cast<size_t>(source)];
  if (const auto slot = keys.Find(key)) return *slot;
  keys.Add(key, slot_count_);
  return slot_count_++;
}

void Program::ReadSlots(Evaluation& evaluation) const {
  auto& values = evaluation.slots();
  values.assign(slot_count_, Value());
  if (slot_count_ == 0) return;
  absl::InlinedVector<bool, 16> is_found(slot_count_);
  const auto read = [&](AttributeSource source, const auto& owner) {
    const TextTable& keys = keys_[static_cast<size_t>(source)];
    size_t left = keys.size();
    if (left == 0) return;
    for (const std::string_view attribute : owner().attributes().raw()) {
      otlp::PlainAttribute plain;
      const bool is_plain = plain.Read(attribute);
      if (is_plain && !keys.MayContain(plain.key)) continue;
      const auto slot = keys.Find(is_plain ? plain.key : otlp::AttributeView(attribute).key());
      if (!slot || std::exchange(is_found[*slot], true)) continue;
      values[*slot] = Value::Of(otlp::AttributeView(attribute).value());
      if (--left == 0) return;
    }
  };
  const Scene& scene = evaluation.scene();
  read(AttributeSource::kResource, [&]() -> const auto& { return scene.resource(); });
  read(AttributeSource::kScope, [&]() -> const auto& { return scene.scope(); });
  read(AttributeSource::kSpan, [&]() -> const auto& { return scene.span(); });
  read(AttributeSource::kEvent, [&]() -> const auto& { return scene.event(); });
}

}  // namespace spanloom::ottl
