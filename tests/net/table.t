#!/bin/bash
# Every row and its neighbours, each reason, and the counters, by real packets.
exec "$(dirname "$0")/boot" table
