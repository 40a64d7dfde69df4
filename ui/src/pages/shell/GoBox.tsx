// SPDX-License-Identifier: Apache-2.0
//
// The box in the header: a pasted trace id opens the trace, anything else is searched for as attributes.

import { Kbd, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { kDefaultSearch, writeSearch } from "../../api/search_state";
import { useKeys } from "../../base/keyboard";
import { traceIdIn } from "../../base/trace_id";

export function GoBox() {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const navigate = useNavigate();
  useKeys({ search: () => input.current?.focus() });

  const go = () => {
    const traceId = traceIdIn(text);
    if (text.trim() === "") return;
    if (traceId === undefined)
      void navigate({ to: "/search", search: writeSearch({ ...kDefaultSearch, tags: text.trim() }) });
    else void navigate({ to: "/trace/$traceId", params: { traceId } });
    setText("");
    input.current?.blur();
  };

  return (
    <form
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <TextInput
        ref={input}
        w={340}
        mr={6}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        placeholder="Trace id, or key=value"
        aria-label="Trace id, or attributes to search for"
        leftSection={<IconSearch size={14} />}
        rightSection={<Kbd size="xs">/</Kbd>}
        data-testid="go-box"
      />
    </form>
  );
}
