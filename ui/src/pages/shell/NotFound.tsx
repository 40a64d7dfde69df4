// SPDX-License-Identifier: Apache-2.0

import { Button, EmptyState } from "@mantine/core";
import { Link } from "@tanstack/react-router";

export function NotFound() {
  return (
    <EmptyState title="No such page" description="The address leads nowhere." pt={120}>
      <EmptyState.Actions>
        <Button variant="default" renderRoot={(props) => <Link to="/search" {...props} />}>
          Search
        </Button>
      </EmptyState.Actions>
    </EmptyState>
  );
}
