#!/usr/bin/env bash
# Builds Binder's pinned environment in a fresh virtual environment and runs the first notebook in it.
set -euo pipefail
cd "$(dirname "$0")/../.."
place="$(mktemp -d)"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q -r binder/requirements.txt
size="$(du -sm "$place/venv" | cut -f1)"
[ "$size" -lt 1500 ] || { echo "the environment takes $size MB, 1,500 are allowed"; exit 1; }
env CINT_NB_MODE=sandbox "$place/venv/bin/python" -m nbconvert --to notebook --execute \
  --ExecutePreprocessor.timeout=120 --output-dir "$place" notebooks/00-start-here.ipynb 2>&1 | tail -n 1
echo "Binder's environment: $size MB; 00-start-here ran in it"
rm -rf "$place"
