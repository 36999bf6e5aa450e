# Tells the time of a fixed moment somewhere else.
job_when() {
    TZ=$1 date -d @1767268800 '+%F %T %Z'
}
