#!/usr/bin/env bash
# Get a browser for the tests where that is possible. The shell without a window comes first, as a
# page costs it half the time: the system's, Debian's package, Playwright's own download. Else any
# Chromium that is there. Without one the browser tests skip with a loud line (never in CI).
set -u
python="$1"
command -v chromium-headless-shell >/dev/null && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  (timeout 120 apt-get update -qq && timeout 300 apt-get install -y -qq chromium-headless-shell) \
    >/dev/null 2>&1
  command -v chromium-headless-shell >/dev/null && exit 0
fi
for name in chromium chromium-browser; do
  command -v "$name" >/dev/null && exit 0
done
"$python" -m playwright install --only-shell chromium >/dev/null 2>&1 && exit 0
if [ "${CI:-}" = true ]; then
  echo "No browser could be installed; CI needs one." >&2
  exit 1
fi
echo "No browser could be installed: the browser tests will be skipped." >&2
