// SPDX-License-Identifier: Apache-2.0

import { Kbd, Modal } from "@mantine/core";
import { kKeyGroups, kKeys, type KeyName } from "../../base/keyboard";
import styles from "./HelpDialog.module.css";

function KeyRow({ name }: { name: KeyName }) {
  const { shown, does } = kKeys[name];
  return (
    <>
      <dt className={styles.keys}>
        {shown.map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </dt>
      <dd className={styles.does}>{does}</dd>
    </>
  );
}

export function HelpDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keys" size={400} data-testid="help">
      {kKeyGroups.map(({ title, names }) => (
        <section key={title}>
          <h3 className={styles.title}>{title}</h3>
          <dl className={styles.table}>
            {names.map((name) => (
              <KeyRow key={name} name={name} />
            ))}
          </dl>
        </section>
      ))}
    </Modal>
  );
}
