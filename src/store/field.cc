// SPDX-License-Identifier: Apache-2.0

#include "store/field.h"

#include <string_view>

#include "base/text.h"

namespace spanloom::store {
namespace {

std::string_view NameOf(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::kNone:
      return "";
    case Intrinsic::kName:
      return "name";
    case Intrinsic::kService:
      return "service";
    case Intrinsic::kKind:
      return "kind";
    case Intrinsic::kStatus:
      return "status";
    case Intrinsic::kStatusMessage:
      return "statusMessage";
    case Intrinsic::kStart:
      return "start";
    case Intrinsic::kEnd:
      return "end";
    case Intrinsic::kDuration:
      return "duration";
    case Intrinsic::kTraceId:
      return "trace:id";
    case Intrinsic::kSpanId:
      return "span:id";
    case Intrinsic::kParentSpanId:
      return "span:parentID";
    case Intrinsic::kTraceState:
      return "traceState";
    case Intrinsic::kChildCount:
      return "childCount";
    case Intrinsic::kNestedSetLeft:
      return "nestedSetLeft";
    case Intrinsic::kNestedSetRight:
      return "nestedSetRight";
    case Intrinsic::kNestedSetParent:
      return "nestedSetParent";
    case Intrinsic::kScopeName:
      return "instrumentation:name";
    case Intrinsic::kScopeVersion:
      return "instrumentation:version";
    case Intrinsic::kEventName:
      return "event:name";
    case Intrinsic::kEventTimeSinceStart:
      return "event:timeSinceStart";
    case Intrinsic::kLinkTraceId:
      return "link:traceID";
    case Intrinsic::kLinkSpanId:
      return "link:spanID";
    case Intrinsic::kTraceDuration:
      return "traceDuration";
    case Intrinsic::kTraceStart:
      return "traceStart";
    case Intrinsic::kTraceRootName:
      return "rootName";
    case Intrinsic::kTraceRootService:
      return "rootServiceName";
    case Intrinsic::kTraceSpanCount:
      return "traceSpanCount";
    case Intrinsic::kTraceErrorCount:
      return "traceErrorCount";
  }
  return "?";
}

std::string_view PrefixOf(AttributeScope scope) {
  switch (scope) {
    case AttributeScope::kSpan:
      return "span.";
    case AttributeScope::kResource:
      return "resource.";
    case AttributeScope::kInstrumentation:
      return "instrumentation.";
    case AttributeScope::kEvent:
      return "event.";
    case AttributeScope::kLink:
      return "link.";
    case AttributeScope::kSpanThenResource:
      return ".";
    case AttributeScope::kAnywhere:
      return "anywhere.";
  }
  return "?";
}

}  // namespace

std::string Field::ToString() const {
  return is_attribute() ? StrCat(PrefixOf(scope), key) : std::string(NameOf(intrinsic));
}

bool Field::needs_places() const {
  return intrinsic == Intrinsic::kChildCount || is_nested_set();
}

bool Field::is_nested_set() const {
  return intrinsic >= Intrinsic::kNestedSetLeft && intrinsic <= Intrinsic::kNestedSetParent;
}

bool Field::is_of_trace() const {
  return intrinsic >= Intrinsic::kTraceDuration;
}

}  // namespace spanloom::store
