// SPDX-License-Identifier: Apache-2.0
//
// The frame around every page: name, pages, the box that `/` focuses, theme, help.

import { ActionIcon, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKeyboard } from "@tabler/icons-react";
import { Link, Outlet } from "@tanstack/react-router";
import { useKeys } from "../../base/keyboard";
import { GoBox } from "./GoBox";
import { HelpDialog } from "./HelpDialog";
import styles from "./Shell.module.css";
import { ThemeSwitch } from "./ThemeSwitch";

function Name() {
  return (
    <Link to="/" className={styles.name} aria-label="Spanloom, home">
      <svg viewBox="0 0 16 16" width="18" height="18" aria-hidden>
        <rect x="1" y="2" width="11" height="3" rx="1.5" fill="var(--service-0)" />
        <rect x="4" y="6.5" width="8" height="3" rx="1.5" fill="var(--service-1)" />
        <rect x="8" y="11" width="7" height="3" rx="1.5" fill="var(--service-2)" />
      </svg>
      Spanloom
    </Link>
  );
}

export function Shell() {
  const [isHelpOpen, help] = useDisclosure(false);
  useKeys({ help: help.open });
  return (
    <div className={styles.frame}>
      <header className={styles.header}>
        <Name />
        <nav className={styles.pages} aria-label="Pages">
          <Link
            to="/search"
            className={styles.page}
            activeProps={{ className: styles.active }}
            activeOptions={{ includeSearch: false }}
          >
            Search
          </Link>
          <Link to="/pipeline" className={styles.page} activeProps={{ className: styles.active }}>
            Pipeline
          </Link>
        </nav>
        <GoBox />
        <Tooltip label="Keys (?)">
          <ActionIcon aria-label="Show the keys" onClick={help.open}>
            <IconKeyboard size={17} stroke={1.6} />
          </ActionIcon>
        </Tooltip>
        <ThemeSwitch />
      </header>
      <main className={styles.main}>
        <Outlet />
      </main>
      <HelpDialog isOpen={isHelpOpen} onClose={help.close} />
    </div>
  );
}
