// SPDX-License-Identifier: Apache-2.0
//
// A service's name beside its colour.

import type { ReactNode } from "react";
import { colourVariable } from "../base/service_colour";
import styles from "./ServiceChip.module.css";

interface Props {
  name: string;
  colour: number;
  children?: ReactNode; // shown after the name: a count
}

export function ServiceChip({ name, colour, children }: Props) {
  return (
    <span className={styles.chip} title={name} data-testid="service-chip">
      <span className={styles.dot} style={{ background: colourVariable(colour) }} />
      <span className="ellipsis">{name}</span>
      {children}
    </span>
  );
}
