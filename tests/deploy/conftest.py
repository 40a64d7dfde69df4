# SPDX-License-Identifier: Apache-2.0
"""What tests of deploy/ share with those of the guide stands in tests/played."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "played"))

from played import backend, backend_server, cluster, kustomized_before  # noqa: E402, F401
