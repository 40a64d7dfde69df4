// SPDX-License-Identifier: Apache-2.0
//
// The search form, in one line. It keeps a draft; Find (or Enter) hands it over, unless a field has a problem.

import { Button, NumberInput, Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { operationsQuery, servicesQuery } from "../../api/queries";
import { kLimitMax, type SearchState } from "../../api/search_state";
import { durationProblem } from "../../base/duration_text";
import { parseTags } from "../../base/tag_text";
import styles from "./SearchForm.module.css";
import { TimeFields } from "./TimeFields";

const kOptionsShown = 200; // of a select; the rest is found by typing

export interface FieldProps {
  draft: SearchState;
  onEdit: (change: Partial<SearchState>) => void;
}

function withChosen(options: readonly string[], chosen: string): string[] {
  return chosen === "" || options.includes(chosen) ? [...options] : [chosen, ...options];
}

function ServiceFields({ draft, onEdit }: FieldProps) {
  const services = useQuery(servicesQuery);
  const operations = useQuery(operationsQuery(draft.service));
  return (
    <>
      <Select
        label="Service"
        className={styles.service}
        placeholder="All services"
        data={withChosen(services.data ?? [], draft.service)}
        value={draft.service || null}
        onChange={(service) => onEdit({ service: service ?? "", operation: "" })}
        error={services.error && "The list can't be loaded"}
        limit={kOptionsShown}
        searchable
        clearable
        nothingFoundMessage={services.isLoading ? "Loading" : "No such service"}
        data-testid="service-select"
      />
      <Select
        label="Operation"
        className={styles.operation}
        placeholder={draft.service ? "All operations" : "Choose a service first"}
        data={withChosen(operations.data ?? [], draft.operation)}
        value={draft.operation || null}
        onChange={(operation) => onEdit({ operation: operation ?? "" })}
        error={operations.error && "The list can't be loaded"}
        disabled={!draft.service}
        limit={kOptionsShown}
        searchable
        clearable
        nothingFoundMessage={operations.isLoading ? "Loading" : "No such operation"}
        data-testid="operation-select"
      />
    </>
  );
}

function FilterFields({ draft, onEdit }: FieldProps) {
  return (
    <>
      <TextInput
        label="Attributes"
        className={styles.tags}
        placeholder="http.status_code=500 error=true"
        value={draft.tags}
        onChange={(event) => onEdit({ tags: event.currentTarget.value })}
        error={parseTags(draft.tags).problem}
        spellCheck={false}
        data-testid="tags-input"
      />
      <TextInput
        label="Min duration"
        className={styles.duration}
        placeholder="100ms"
        value={draft.minDuration}
        onChange={(event) => onEdit({ minDuration: event.currentTarget.value.trim() })}
        error={durationProblem(draft.minDuration)}
        data-testid="min-duration"
      />
      <TextInput
        label="Max duration"
        className={styles.duration}
        placeholder="1.5s"
        value={draft.maxDuration}
        onChange={(event) => onEdit({ maxDuration: event.currentTarget.value.trim() })}
        error={durationProblem(draft.maxDuration)}
        data-testid="max-duration"
      />
    </>
  );
}

function hasProblem(draft: SearchState): boolean {
  return [parseTags(draft.tags).problem, durationProblem(draft.minDuration), durationProblem(draft.maxDuration)].some(
    Boolean,
  );
}

export function SearchForm({ state, onFind }: { state: SearchState; onFind: (state: SearchState) => void }) {
  const [draft, setDraft] = useState(state);
  const edit = (change: Partial<SearchState>) => setDraft((current) => ({ ...current, ...change }));
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (!hasProblem(draft)) onFind(draft);
      }}
    >
      <ServiceFields draft={draft} onEdit={edit} />
      <FilterFields draft={draft} onEdit={edit} />
      <TimeFields draft={draft} onEdit={edit} />
      <NumberInput
        label="Limit"
        className={styles.limit}
        value={draft.limit}
        min={1}
        max={kLimitMax}
        allowDecimal={false}
        hideControls
        onChange={(limit) => typeof limit === "number" && edit({ limit })}
        data-testid="limit"
      />
      <Button type="submit" className={styles.find} disabled={hasProblem(draft)} data-testid="find-button">
        Find traces
      </Button>
    </form>
  );
}
