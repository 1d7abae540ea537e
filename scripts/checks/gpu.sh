#!/usr/bin/env bash
# Everything that needs a GPU, in one command of less than nine minutes; a JSON line for each check.
#   scripts/checks/gpu.sh <folder with MNIST/raw> <results.jsonl>
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python}" -m scripts.checks.gpu "$@"
