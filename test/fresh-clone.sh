#!/usr/bin/env bash
# A newcomer's first minutes: clone, `npm start`, the printed curl call, a deployment of one's own, stop. Takes an empty folder.
set -uo pipefail
source_folder=$(cd "$(dirname "$0")/.." && pwd)
folder=$1
passed=0 failed=0
check() { if [[ $2 == "$3" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: got '$2', expected '$3'"; fi; }

git clone -q "$source_folder" "$folder/ponto" || exit 1
cd "$folder/ponto" || exit 1
export HOME=$folder PONTO_DATA=$folder/data PONTO_PORT=0 PONTO_HTTP_PORT=0

npm start >"$folder/out" 2>"$folder/err" &
server=$!
for _ in $(seq 600); do
  grep -q 'JavaScript' "$folder/out" && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.2
done
cat "$folder/out"
eval "$(npx ponto env)"
npx ponto deployment create Mistral-large --model builtin-nano
check 'create' $? 0
ask() {
  curl -sS --cacert "$SSL_CERT_FILE" -H "api-key: ${2-$AZUREAI_ENDPOINT_KEY}" -H 'Content-Type: application/json' \
    "$AZUREAI_ENDPOINT_URL/chat/completions?api-version=2024-05-01-preview" -o "$folder/answer" -w '%{http_code}' \
    -d "{\"model\":\"$1\",\"messages\":[{\"role\":\"user\",\"content\":\"What is a deployment?\"}]}"
}
check 'an answer' "$(ask mistral-large)" 200
cat "$folder/answer"; echo
check 'the answer holds text' "$(grep -c '"content":"..' "$folder/answer")" 1
check 'an unknown model' "$(ask nothing)" 400
check 'a wrong key' "$(ask mistral-large wrong)" 401
npx ponto doctor
check 'doctor' $? 0
kill -TERM "$server"
wait "$server"
for _ in $(seq 50); do pgrep -f "$folder/ponto/src/main.ts" >/dev/null || break; sleep 0.2; done
check 'stop' "$(pgrep -f "$folder/ponto/src/main.ts" | wc -l)" 0

printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
