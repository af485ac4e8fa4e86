#!/usr/bin/env bash
# Builds Binder's pinned environment in a fresh virtual environment, and runs notebooks in it: the first, and those that need
# the most.
set -euo pipefail
cd "$(dirname "$0")/../.."
place="$(mktemp -d)"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install -q -r binder/requirements.txt
size="$(du -sm "$place/venv" | cut -f1)"
[ "$size" -lt 1500 ] || { echo "the environment takes $size MB, 1,500 are allowed"; exit 1; }

# As repo2docker does after the build; then JupyterLab has to open the first notebook by itself.
export HOME="$place/home" PATH="$place/venv/bin:$PATH"
mkdir "$HOME"
bash binder/postBuild
settings="$(jupyter server --show-config-json 2>/dev/null)"
[[ "$settings" == *'"default_url": "/lab/tree/notebooks/00-start-here.ipynb"'* ]] \
  || { echo "JupyterLab would not open the first notebook"; exit 1; }

# What is installed is a wheel here: the notebooks and the templates have to be in it.
(cd "$place" && cint-nb lab --copy-only --folder "$place/copy" >/dev/null)
[ -f "$place/copy/templates/run-a-wave.ipynb" ] || { echo "the wheel lacks the templates"; exit 1; }

env CINT_NB_MODE=sandbox "$place/venv/bin/python" -m nbconvert --to notebook --execute \
  --ExecutePreprocessor.timeout=120 --output-dir "$place" \
  notebooks/00-start-here.ipynb notebooks/78-keep-a-history.ipynb notebooks/84-weight-for-attrition.ipynb 2>&1 | tail -n 1
echo "Binder's environment: $size MB; 00-start-here, 78-keep-a-history and 84-weight-for-attrition ran in it"
rm -rf "$place"
