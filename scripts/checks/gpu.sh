#!/usr/bin/env bash
# Run all checks that need a GPU in less than nine minutes; each check writes a JSON line.
#   scripts/checks/gpu.sh <folder with MNIST/raw> <results.jsonl>
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${PYTHON:-python}" -m scripts.checks.gpu "$@"
