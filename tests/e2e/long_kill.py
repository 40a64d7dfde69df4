# SPDX-License-Identifier: Apache-2.0
"""As test_kill.py, for as long as a step may take. Long tier."""

import os

from test_kill import kill_again_and_again

KILLS = int(os.environ.get("SPANLOOM_KILLS", "2000"))  # about twelve minutes; half an hour beside other work


def test_what_is_acknowledged_survives_many_kills(start, tmp_path):
    kill_again_and_again(start, tmp_path, KILLS)
