#!/bin/bash
# Sessions that a change cuts and gives back, and the ways in which a connection is found.
exec "$(dirname "$0")/boot" sessions
