#!/usr/bin/env bash
# Get a browser for the tests where that is possible: the system's Chromium, else Debian's package,
# else Playwright's own download. Without any, the browser tests skip with a loud line (never in CI).
set -u
python="$1"
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  (apt-get update -qq && apt-get install -y -qq chromium) >/dev/null 2>&1
  command -v chromium >/dev/null && exit 0
fi
"$python" -m playwright install chromium >/dev/null 2>&1 && exit 0
if [ "${CI:-}" = true ]; then
  echo "No browser could be installed; CI needs one." >&2
  exit 1
fi
echo "No browser could be installed: the browser tests will be skipped." >&2
