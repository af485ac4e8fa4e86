#!/usr/bin/env bash
# One recontact wave with curl, as the recontact guide shows it, and the loops a careful analyst writes around it.
# Usage: with_curl.sh FILE PROJECT_ID START END
set -euo pipefail
file=$1 project=$2 start=$3 end=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- the draft
draft() {
  cat <<JSON
{
  "name": "Tracker Q4, wave 2",
  "business_unit_id": "1234",
  "project_manager_id": "b551326b-ac9d-4d32-8823-4f025787dab9",
  "study_type_code": "recontact",
  "industry_code": "other",
  "cost_per_interview": {"value": "2.50", "currency_code": "EUR"},
  "collects_pii": false,
  "expected_length_of_interview_minutes": 5,
  "expected_incidence_rate": 0.8,
  "fielding_specification": {"start_at": "$start", "end_at": "$end"},
  "live_url": "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
  "test_url": "https://your-survey.com?RID=[%RID%]&RECONTACT_RSID=[%RECONTACT_RSID%]",
  "fielding_assistant_assignment": {
    "pricing": {"type": "dynamic", "maximum_cpi": {"value": "2.50", "currency_code": "EUR"}},
    "quota_overlay": {"prevent_overfill": true, "balance_fill": false}
  },
  "exclusion": {"enabled": false},
  "locale": "ger_de",
  "completes_goal": 500,
  "allocations": {"template_id": "01JH0PEGPC4Z8RDD304E2SF0EW"},
  "filling_strategy": "completes"
}
JSON
}

# --- the requests
ask() { # a request; the exchange's own words go to the terminal when it refuses
  : >"$work/reply"
  curl -sS --fail-with-body -o "$work/reply" -H 'Accept: application/json' -H "Authorization: Bearer $token" \
    -H 'Cint-API-Version: 2025-12-18' "$@" || { code=$?; cat "$work/reply" >&2; return "$code"; }
  cat "$work/reply"
}
read_again() { ask --retry 4 "$@"; } # curl waits as Retry-After says
watch() {                            # URL: poll until the job has ended
  local status=Processing
  while [ "$status" = Processing ]; do
    sleep 30
    read_again "$1" >"$work/job"
    status=$(jq -r .status "$work/job")
  done
  [ "$status" = Completed ] || { jq -r .failure_reason "$work/job" >&2; return 1; }
}
upload() { # FILE: one identifier a line
  local url=$group/recontacts/jobs/upload-respondents-by-file job
  job=$(ask -X POST "$url?entity_type=RSID" -F "file=@$1" | jq -er .job_id)
  echo "upload job $job"
  watch "$url/$job"
  jq -r '.partial_success_reason.description // "every id was saved"' "$work/job"
}
list_saved() { # FILE: write the ids the exchange has saved
  local cursor=
  : >"$work/listed"
  while true; do
    read_again "$group/recontacts/rsids?page_size=100${cursor:+&start_after=$cursor}" >"$work/page"
    jq -r '.data[]?' "$work/page" >>"$work/listed"
    cursor=$(jq -r '.next_cursor // ""' "$work/page")
    [ -n "$cursor" ] || break
  done
  sort -u "$work/listed" >"$1"
}

# --- the steps
token=$(curl -sS --fail-with-body --retry 4 "$CINT_TOKEN_URL" -H 'Content-Type: application/json' -d "{
  \"client_id\": \"$CINT_CLIENT_ID\", \"client_secret\": \"$CINT_CLIENT_SECRET\",
  \"grant_type\": \"client_credentials\", \"audience\": \"https://api.luc.id\"}" | jq -er .access_token)
groups=$CINT_BASE_URL/demand/accounts/$CINT_ACCOUNT_ID/projects/$project/target-groups

tr -d '\r"{} \357\273\277' <"$file" | tr '[:upper:]' '[:lower:]' |
  grep -xE '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}' | sort -u >"$work/sent.csv"

target_group=$(draft | ask -X POST "$groups" -H 'Content-Type: application/json' -d @- | jq -er .id)
echo "target group $target_group"
group=$groups/$target_group

upload "$work/sent.csv"
list_saved "$work/saved"
comm -23 "$work/sent.csv" "$work/saved" >"$work/rejected.csv"
if [ -s "$work/rejected.csv" ]; then
  upload "$work/rejected.csv"
  list_saved "$work/saved"
  comm -23 "$work/sent.csv" "$work/saved" >"$work/rejected.csv"
fi
cp "$work/rejected.csv" rejected.csv

# With an idempotency key the launch may be sent again.
launch=$group/fielding-run-jobs/launch-from-draft
ask --retry 4 --retry-all-errors -X POST "$launch" -D "$work/headers" -H 'Content-Type: application/json' \
  -H "idempotency-key: $(cat /proc/sys/kernel/random/uuid)" -d "{\"end_fielding_at\": \"$end\"}"
watch "$launch/$(tr -d '\r' <"$work/headers" | sed -n 's|^location: .*/||Ip' | tail -n 1)"
state=$(read_again "$group/overview" | jq -r .status)
echo "$state: $(wc -l <"$work/saved") saved, $(wc -l <rejected.csv) rejected"
