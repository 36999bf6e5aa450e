# Sums the tons of each harbour, sorted and written as a language does it.
job_report() {
    local language=${1:-C.UTF-8}
    LC_ALL=$language gawk -F, 'NR > 1 { tons[$2] += $3 } END { for (one in tons) printf "%s\t%'"'"'d\n", one, tons[one] }' \
        "$DATA/ships.csv" | LC_ALL=$language sort
}
