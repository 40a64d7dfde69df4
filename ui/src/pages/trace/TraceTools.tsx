// SPDX-License-Identifier: Apache-2.0
//
// What can be done with a trace: find in it, collapse, zoom out, download.

import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { type Icon, IconArrowsVertical, IconDownload, IconFold, IconSearch, IconZoomReset } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import { tracePath } from "../../api/queries";
import { useKeys } from "../../base/keyboard";
import { formatNumber } from "../../base/quantity";
import type { ChangeTrace, TraceCursor } from "./trace_cursor";
import styles from "./TraceView.module.css";

interface FindProps {
  find: string;
  matchCount: number;
  matchIndex: number; // of the match that the cursor is on, -1 for none
  onChange: ChangeTrace;
  onMatch: (step: 1 | -1) => void;
}

// The field keeps its own text while one types in it, and takes that of the address when one goes back.
function FindBox({ find, matchCount, matchIndex, onChange, onMatch }: FindProps) {
  const input = useRef<HTMLInputElement>(null);
  const focus = () => {
    input.current?.focus();
    input.current?.select();
  };
  useKeys({ find: focus, nextMatch: () => onMatch(1), previousMatch: () => onMatch(-1) });
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = find;
  }, [find]);
  const place =
    matchIndex >= 0 ? `${formatNumber(matchIndex + 1)}/${formatNumber(matchCount)}` : formatNumber(matchCount);
  return (
    <TextInput
      ref={input}
      w={230}
      defaultValue={find}
      onChange={(event) => onChange({ find: event.currentTarget.value }, true)}
      onKeyDown={(event) => {
        if (event.key === "Enter") onMatch(event.shiftKey ? -1 : 1);
        if (event.key === "Escape") event.currentTarget.blur();
      }}
      placeholder="Find in the trace (f)"
      aria-label="Find in the trace"
      leftSection={<IconSearch size={14} />}
      rightSection={
        find.trim() !== "" && (
          <span className="number dim" data-testid="match-count">
            {place}
          </span>
        )
      }
      rightSectionWidth={56}
      data-testid="find-input"
    />
  );
}

function Tool({
  label,
  icon: Shape,
  onClick,
  isDisabled = false,
}: {
  label: string;
  icon: Icon;
  onClick: () => void;
  isDisabled?: boolean;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon aria-label={label} onClick={onClick} disabled={isDisabled}>
        <Shape size={16} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

interface Props extends FindProps {
  traceId: string;
  isZoomed: boolean;
  cursor: TraceCursor;
}

export function TraceTools({ traceId, isZoomed, cursor, ...find }: Props) {
  return (
    <div className={styles.tools}>
      <FindBox {...find} />
      <Tool label="Collapse all" icon={IconFold} onClick={cursor.collapseAll} />
      <Tool label="Expand all" icon={IconArrowsVertical} onClick={cursor.expandAll} />
      <Tool
        label="Show the whole trace (0)"
        icon={IconZoomReset}
        isDisabled={!isZoomed}
        onClick={() => find.onChange({ from: undefined, to: undefined })}
      />
      <Tooltip label="Download as Jaeger JSON">
        <ActionIcon
          component="a"
          href={`${tracePath(traceId)}?prettyPrint=true`}
          download={`trace-${traceId}.json`}
          aria-label="Download as Jaeger JSON"
          data-testid="download"
        >
          <IconDownload size={16} stroke={1.6} />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
