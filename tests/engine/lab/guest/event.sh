# lab_event NAME ["MEMBERS"]: appends a line to the lab's event log, in one write. MEMBERS are JSON: "unit":"k3s","code":1
lab_event() {
  printf '{"at":%s,"host":"%s","event":"%s"%s}\n' "$(date +%s%3N)" "$(cat /run/lab/instance)" "$1" "${2:+,$2}" >>/run/lab/events
}
