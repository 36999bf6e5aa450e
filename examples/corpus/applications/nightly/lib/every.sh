# Does the nightly work again and again, until it is told to end.
source "$HERE/once.sh"

job_every() {
    trap 'echo "nightly: asked to end"; exit 0' TERM INT
    trap 'echo "nightly: reading the data again"; job_once' HUP
    while true; do
        job_once
        sleep "$1" &
        wait $! || true
    done
}
