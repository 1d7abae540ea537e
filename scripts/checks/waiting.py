"""Time training steps beside other programs, with threads that spin while they wait and with threads that sleep.

    python -m scripts.checks.waiting [--busy 4] [--steps 40]

Prints a line of JSON for each policy and load: wall seconds and processor seconds of the steps.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

STEPS = """
import json, sys, time
import torch
from torch import nn

torch.manual_seed(0)
layers = [nn.Linear(784, 500), nn.ReLU(), nn.Linear(500, 2000), nn.ReLU(), nn.Linear(2000, 10), nn.Linear(10, 784)]
net, x = nn.Sequential(*layers), torch.rand(256, 784)
optimizer = torch.optim.Adam(net.parameters())


def step():
    optimizer.zero_grad()
    nn.functional.mse_loss(net(x), x).backward()
    optimizer.step()


for _ in range(5):
    step()
wall, used = time.monotonic(), time.process_time()
for _ in range(int(sys.argv[1])):
    step()
print(json.dumps({"wall_s": round(time.monotonic() - wall, 2), "cpu_s": round(time.process_time() - used, 2)}))
"""


def main() -> int:
    """Print a line for each policy, alone and beside busy programs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--busy", type=int, default=4, help="programs that compute at the same time")
    parser.add_argument("--steps", type=int, default=40)
    chosen = parser.parse_args()
    for n_busy in (0, chosen.busy):
        others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
        try:
            for policy in ("unset", "PASSIVE"):
                environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
                environment |= {} if policy == "unset" else {"OMP_WAIT_POLICY": policy}
                command = [sys.executable, "-c", STEPS, str(chosen.steps)]
                done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
                print(json.dumps({"policy": policy, "busy": n_busy, **json.loads(done.stdout)}), flush=True)
        finally:
            for other in others:
                other.kill()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
